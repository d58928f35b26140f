# What the study would still cost, and what its journals hold: made anew whenever asked for, and only then.


localrules:
    plan,
    journal_report,


rule plan:
    """What the study would still cost: jobs, tokens, GPU-hours, API calls, money, disk; made anew whenever asked."""
    input:
        throughput="resources/plan/throughput.tsv",
        prices="resources/plan/prices.tsv",
        assumptions="resources/plan/assumptions.tsv",
    output:
        multiext("<study>/plan/plan", csv=".csv", md=".md"),
    log:
        "<study>/logs/plan/plan.log",
    conda:
        "../envs/dataset.yaml"
    params:
        config=config,  # the whole: it is the whole study that is planned
        asked=asked_now,
    script:
        "../workflow/scripts/plan.py"


rule journal_report:
    """Records, hits, misses, tokens and money by stage and model, from the journals; made anew whenever asked."""
    input:
        prices="resources/plan/prices.tsv",
    output:
        multiext("<study>/journal_report/journal_report", csv=".csv", md=".md"),
    log:
        "<study>/logs/journal_report/journal_report.log",
    conda:
        "../envs/analysis.yaml"
    params:
        study=study.name,
        models={name: {k: wiring.row(name)[k] for k in ("repository", "backend")} for name in study.models},
        asked=asked_now,
    script:
        "../workflow/scripts/journal_report.py"
