# One rule per table, named as its target.

# Target → file name of each table; that of the miniature's judges only where it makes them.
TABLES = {
    "table1": "table1_asr_refuseu_test",
    "table2": "table2_transfer_matrix",
    "table3": "table3_global_mmlu",
    "table6": "table6_pilot",
    "table8": "table8_audit",
    "table16": "table16_open_models",
    "rtp_lx": "asr_rtp_lx",
    "polyglotox": "asr_polyglotox",
    "outcomes_table": "outcomes",
    "agreement_table": "judge_agreement",
    "funnel_table": "funnel",
    "leakage": "leakage",
}
if "miniature" in config:
    TABLES["judge_accuracy_table"] = "judge_accuracy"
if config["dataset"]["source"] == "hub":  # nothing is built, unless asked for by name
    del TABLES["table6"], TABLES["funnel_table"], TABLES["agreement_table"]
TRAINED_ON = {model: list(variant.languages) for model, variant in study.variants.items()}


rule table1:
    input:
        metrics="<study>/metrics/metrics.csv",
        published="resources/published/table1_asr_refuseu_test.csv",
    output:
        report(
            multiext("<study>/tables/table1_asr_refuseu_test", csv=".csv", md=".md", tex=".tex"),
            caption="../workflow/report/table1.rst",
            category="Tables",
        ),
    log:
        "<study>/logs/table1/table1.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=study.evaluated,
    script:
        "../workflow/scripts/table1.py"


rule table2:
    input:
        metrics="<study>/metrics/metrics.csv",
    output:
        report(
            multiext("<study>/tables/table2_transfer_matrix", csv=".csv", md=".md", tex=".tex"),
            caption="../workflow/report/table2.rst",
            category="Tables",
        ),
    log:
        "<study>/logs/table2/table2.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=study.evaluated,
        trained_on=TRAINED_ON,
    script:
        "../workflow/scripts/table2.py"


rule table3:
    input:
        metrics="<study>/metrics/metrics.csv",
        comparisons="<study>/compare/comparisons.csv",
    output:
        report(
            multiext("<study>/tables/table3_global_mmlu", csv=".csv", md=".md", tex=".tex"),
            caption="../workflow/report/table3.rst",
            category="Tables",
        ),
    log:
        "<study>/logs/table3/table3.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=study.evaluated,
    script:
        "../workflow/scripts/table3.py"


rule table6:
    input:
        prompts=collect("<study>/generate_prompts/pilot/{id}.jsonl", id=config["dataset"]["generators"]["pilot"]),
        labels=collect("<study>/label_prompts/pilot/{guard}.jsonl", guard=config["judging"]["guards"]),
        published="resources/published/table6_pilot.csv",
    output:
        report(
            multiext("<study>/tables/table6_pilot", csv=".csv", md=".md", tex=".tex"),
            caption="../workflow/report/table6.rst",
            category="Tables",
        ),
    log:
        "<study>/logs/table6/table6.log",
    conda:
        "../envs/analysis.yaml"
    params:
        generators=config["dataset"]["generators"]["pilot"],
        languages=config["languages"],
        statistics=config["statistics"],
    script:
        "../workflow/scripts/table6.py"


rule table8:
    input:
        audit=["<study>/audit/audit.csv"] if returned_sheets() else [],
        published="resources/published/table8_audit.csv",
    output:
        report(
            multiext("<study>/tables/table8_audit", csv=".csv", md=".md", tex=".tex"),
            caption="../workflow/report/table8.rst",
            category="Tables",
        ),
    log:
        "<study>/logs/table8/table8.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
    script:
        "../workflow/scripts/table8.py"


rule table16:
    input:
        metrics="<study>/metrics/metrics.csv",
    output:
        report(
            multiext("<study>/tables/table16_open_models", csv=".csv", md=".md", tex=".tex"),
            caption="../workflow/report/table16.rst",
            category="Tables",
        ),
    log:
        "<study>/logs/table16/table16.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=study.evaluated,
    script:
        "../workflow/scripts/table16.py"


rule rtp_lx:
    input:
        metrics="<study>/metrics/metrics.csv",
    output:
        report(
            multiext("<study>/tables/asr_rtp_lx", csv=".csv", md=".md", tex=".tex"),
            caption="../workflow/report/rtp_lx.rst",
            category="Tables",
        ),
    log:
        "<study>/logs/rtp_lx/rtp_lx.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=study.evaluated,
    script:
        "../workflow/scripts/rtp_lx.py"


rule polyglotox:
    input:
        metrics="<study>/metrics/metrics.csv",
    output:
        report(
            multiext("<study>/tables/asr_polyglotox", csv=".csv", md=".md", tex=".tex"),
            caption="../workflow/report/polyglotox.rst",
            category="Tables",
        ),
    log:
        "<study>/logs/polyglotox/polyglotox.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=study.evaluated,
    script:
        "../workflow/scripts/polyglotox.py"


rule outcomes_table:
    input:
        metrics="<study>/metrics/metrics.csv",
    output:
        report(
            multiext("<study>/tables/outcomes", csv=".csv", md=".md", tex=".tex"),
            caption="../workflow/report/outcomes_table.rst",
            category="Tables",
        ),
    log:
        "<study>/logs/outcomes_table/outcomes_table.log",
    conda:
        "../envs/analysis.yaml"
    params:
        models=study.evaluated,
    script:
        "../workflow/scripts/outcomes_table.py"


rule agreement_table:
    input:
        agreement="<study>/agreement/agreement.csv",
    output:
        report(
            multiext("<study>/tables/judge_agreement", csv=".csv", md=".md", tex=".tex"),
            caption="../workflow/report/agreement_table.rst",
            category="Tables",
        ),
    log:
        "<study>/logs/agreement_table/agreement_table.log",
    conda:
        "../envs/analysis.yaml"
    script:
        "../workflow/scripts/agreement_table.py"


rule funnel_table:
    input:
        funnel="<study>/funnel/funnel.csv",
        published="resources/published/funnel.csv",
    output:
        report(
            multiext("<study>/tables/funnel", csv=".csv", md=".md", tex=".tex"),
            caption="../workflow/report/funnel_table.rst",
            category="Tables",
        ),
    log:
        "<study>/logs/funnel_table/funnel_table.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
    script:
        "../workflow/scripts/funnel_table.py"


rule leakage:
    input:
        train=dataset_half("train"),
        test=dataset_half("test"),
        benchmarks=[
            f"<study>/load_benchmark/{b.benchmark}.jsonl" for b in study.benchmarks.values() if b.revision != "dataset"
        ],
    output:
        report(
            multiext("<study>/tables/leakage", csv=".csv", md=".md", tex=".tex"),
            caption="../workflow/report/leakage.rst",
            category="Tables",
        ),
    log:
        "<study>/logs/leakage/leakage.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=list(study.languages),
        near_duplicates=config["dataset"]["near_duplicates"],
    script:
        "../workflow/scripts/leakage.py"
