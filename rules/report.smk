# The papers' claims tested on our numbers, and the page that shows everything.

SETUP = {
    "dataset": config["dataset"]["source"],
    "guards": ", ".join(config["judging"]["guards"]),
    "adjudicator": config["judging"]["adjudicator"],
    "benchmarks": ", ".join(study.benchmarks),
    "intervals": f"{config['statistics']['confidence']:.0%}, {config['statistics']['resamples']} resamples",
}
if config["dataset"]["source"] == "hub" and config["dataset"]["category_by_row_id"]:
    SETUP["categories"] = "of the slot that a test prompt shares a row_id with, not of the prompt itself"
COMMAND = f"snakemake --profile {'miniature' if 'miniature' in config else 'slurm'}"


rule claims:
    input:
        claims="config/claims.yaml",
        schema="workflow/schemas/claims.schema.yaml",
        template="workflow/report/page.html.j2",
        metrics="<study>/metrics/metrics.csv",
        comparisons="<study>/compare/comparisons.csv",
        published=["resources/published/table1_asr_refuseu_test.csv"],
    output:
        report(
            multiext("<study>/claims", csv=".csv", md=".md", html=".html"),
            caption="../workflow/report/claims.rst",
            category="Claims",
        ),
    log:
        "<study>/logs/claims/claims.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=study.evaluated,
        trained_on=TRAINED_ON,
        statistics=config["statistics"],
    script:
        "../workflow/scripts/claims.py"


rule report:
    input:
        claims="<study>/claims.csv",
        template="workflow/report/page.html.j2",
        tables=collect("<study>/tables/{table}.md", table=list(TABLES.values())),
        figures=collect("<study>/figures/{figure}.png", figure=list(FIGURES.values())),
        captions=collect("workflow/report/{target}.rst", target=[*TABLES, *FIGURES]),
    output:
        html=report("<study>/report.html", caption="../workflow/report/report.rst", category="Report"),
    log:
        "<study>/logs/report/report.log",
    conda:
        "../envs/analysis.yaml"
    params:
        study=config["study"],
        languages=config["languages"],
        models=study.evaluated,
        setup=SETUP,
        command=COMMAND,
    script:
        "../workflow/scripts/report.py"
