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
    "published_table": "published_beside_ours",
    "disagreement": "disagreement",
    "refusal_detection": "refusal_detection",
    "judge_error": "judge_error",
    "open_question": "open_question",
}
if "miniature" in config:
    TABLES["judge_accuracy_table"] = "judge_accuracy"
if study.audited:
    TABLES["corrected_asr"] = "corrected_asr"
if config["judging"]["held_out"]:
    TABLES["circularity"] = "circularity"
if config["dataset"]["source"] == "hub":  # nothing is built, unless asked for by name
    del TABLES["table6"], TABLES["funnel_table"], TABLES["agreement_table"]
PUBLISHED = collect(
    "resources/published/{name}.csv",
    name=["table1_asr_refuseu_test", "asr_rtp_lx", "asr_polyglotox", "table3_global_mmlu"],
)
# Of the runs of one method, which alone can be compared by language.
TRAINED_ON = {m: list(run.languages) for m, run in study.variants.items() if run.method == "dpo"}


rule table1:
    input:
        measures=measures("table1"),
        published="resources/published/table1_asr_refuseu_test.csv",
    output:
        multiext("<study>/tables/table1_asr_refuseu_test", md=".md", tex=".tex"),
        csv=report("<study>/tables/table1_asr_refuseu_test.csv", **in_report("table1")),
    log:
        "<study>/logs/table1/table1.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=models_of("table1"),
    script:
        "../workflow/scripts/table1.py"


rule table2:
    input:
        measures=measures("table2"),
    output:
        multiext("<study>/tables/table2_transfer_matrix", md=".md", tex=".tex"),
        csv=report("<study>/tables/table2_transfer_matrix.csv", **in_report("table2")),
    log:
        "<study>/logs/table2/table2.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=models_of("table2"),
        trained_on={m: TRAINED_ON[m] for m in models_of("table2") if m in TRAINED_ON},
    script:
        "../workflow/scripts/table2.py"


rule table3:
    input:
        measures=measures("table3"),
        published="resources/published/table3_global_mmlu.csv",
        comparisons=comparisons("table3"),
    output:
        multiext("<study>/tables/table3_global_mmlu", md=".md", tex=".tex"),
        csv=report("<study>/tables/table3_global_mmlu.csv", **in_report("table3")),
    log:
        "<study>/logs/table3/table3.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=models_of("table3"),
    script:
        "../workflow/scripts/table3.py"


rule table6:
    input:
        prompts=collect("<study>/generate_prompts/pilot/{id}.jsonl", id=config["dataset"]["generators"]["pilot"]),
        labels=collect("<study>/label_prompts/pilot/{guard}.jsonl", guard=config["judging"]["guards"]),
        published="resources/published/table6_pilot.csv",
    output:
        multiext("<study>/tables/table6_pilot", md=".md", tex=".tex"),
        csv=report("<study>/tables/table6_pilot.csv", **in_report("table6")),
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
        audit=["<study>/audit/audit.csv"] if wiring.returned_sheets() else [],
        published="resources/published/table8_audit.csv",
    output:
        multiext("<study>/tables/table8_audit", md=".md", tex=".tex"),
        csv=report("<study>/tables/table8_audit.csv", **in_report("table8")),
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
        measures=measures("table16"),
    output:
        multiext("<study>/tables/table16_open_models", md=".md", tex=".tex"),
        csv=report("<study>/tables/table16_open_models.csv", **in_report("table16")),
    log:
        "<study>/logs/table16/table16.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=models_of("table16"),
    script:
        "../workflow/scripts/table16.py"


rule rtp_lx:
    input:
        measures=measures("rtp_lx"),
        published="resources/published/asr_rtp_lx.csv",
    output:
        multiext("<study>/tables/asr_rtp_lx", md=".md", tex=".tex"),
        csv=report("<study>/tables/asr_rtp_lx.csv", **in_report("rtp_lx")),
    log:
        "<study>/logs/rtp_lx/rtp_lx.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=models_of("rtp_lx"),
    script:
        "../workflow/scripts/rtp_lx.py"


rule polyglotox:
    input:
        measures=measures("polyglotox"),
        published="resources/published/asr_polyglotox.csv",
    output:
        multiext("<study>/tables/asr_polyglotox", md=".md", tex=".tex"),
        csv=report("<study>/tables/asr_polyglotox.csv", **in_report("polyglotox")),
    log:
        "<study>/logs/polyglotox/polyglotox.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=models_of("polyglotox"),
    script:
        "../workflow/scripts/polyglotox.py"


rule outcomes_table:
    input:
        measures=measures("outcomes_table"),
        others=[*measures("over_refusal"), *measures("judged_share")],
    output:
        multiext("<study>/tables/outcomes", md=".md", tex=".tex"),
        csv=report("<study>/tables/outcomes.csv", **in_report("outcomes_table")),
    log:
        "<study>/logs/outcomes_table/outcomes_table.log",
    conda:
        "../envs/analysis.yaml"
    params:
        models=models_of("outcomes_table"),
    script:
        "../workflow/scripts/outcomes_table.py"


rule agreement_table:
    input:
        agreement="<study>/agreement/agreement.csv",
    output:
        multiext("<study>/tables/judge_agreement", md=".md", tex=".tex"),
        csv=report("<study>/tables/judge_agreement.csv", **in_report("agreement_table")),
    log:
        "<study>/logs/agreement_table/agreement_table.log",
    conda:
        "../envs/analysis.yaml"
    params:
        judges=outside(config["dataset"]["prompt_judges"]),
    script:
        "../workflow/scripts/agreement_table.py"


rule funnel_table:
    input:
        funnel="<study>/funnel/funnel.csv",
        published="resources/published/funnel.csv",
    output:
        multiext("<study>/tables/funnel", md=".md", tex=".tex"),
        csv=report("<study>/tables/funnel.csv", **in_report("funnel_table")),
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
        train=wiring.dataset_half("train"),
        test=wiring.dataset_half("test"),
        benchmarks=[
            f"<study>/load_benchmark/{b.benchmark}.jsonl" for b in study.benchmarks.values() if b.revision != "dataset"
        ],
    output:
        multiext("<study>/tables/leakage", md=".md", tex=".tex"),
        csv=report("<study>/tables/leakage.csv", **in_report("leakage")),
    log:
        "<study>/logs/leakage/leakage.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=list(study.languages),
        near_duplicates=config["dataset"]["near_duplicates"],
    script:
        "../workflow/scripts/leakage.py"


rule disagreement:
    input:
        measures=measures("disagreement"),
    output:
        multiext("<study>/tables/disagreement", md=".md", tex=".tex"),
        csv=report("<study>/tables/disagreement.csv", **in_report("disagreement")),
    log:
        "<study>/logs/disagreement/disagreement.log",
    conda:
        "../envs/analysis.yaml"
    params:
        guards=outside(config["judging"]["guards"]),
        languages=config["languages"],
        models=models_of("disagreement"),
    script:
        "../workflow/scripts/disagreement.py"


rule circularity:
    input:
        answers=[f"<study>/measure/{m}/{b}.jsonl" for m, b in selection.evaluations(study, "circularity")],
        labels=[
            f"<study>/judge/{judge}/{m}/{b}.jsonl"
            for judge in config["judging"]["held_out"]
            for m, b in selection.evaluations(study, "circularity")
        ],
    output:
        multiext("<study>/tables/circularity", md=".md", tex=".tex"),
        csv=report("<study>/tables/circularity.csv", **in_report("circularity")),
        frame="<study>/circularity/circularity.csv",
    log:
        "<study>/logs/circularity/circularity.log",
    conda:
        "../envs/analysis.yaml"
    params:
        judges=outside(config["judging"]["held_out"]),
        languages=config["languages"],
        models=models_of("circularity"),
        statistics=config["statistics"],
    script:
        "../workflow/scripts/circularity.py"


rule refusal_detection:
    input:
        pairs=wiring.dataset_half("train"),
        markers=config["outcomes"]["refusal_markers"],
    output:
        multiext("<study>/tables/refusal_detection", md=".md", tex=".tex"),
        csv=report("<study>/tables/refusal_detection.csv", **in_report("refusal_detection")),
    log:
        "<study>/logs/refusal_detection/refusal_detection.log",
    conda:
        "../envs/analysis.yaml"
    params:
        confidence=config["statistics"]["confidence"],
        languages=config["languages"],
    script:
        "../workflow/scripts/refusal_detection.py"


rule published_table:
    input:
        metrics="<study>/metrics/metrics.csv",
        published=PUBLISHED,
    output:
        multiext("<study>/tables/published_beside_ours", md=".md", tex=".tex"),
        csv=report("<study>/tables/published_beside_ours.csv", **in_report("published_table")),
        frame="<study>/published_table/published_table.csv",
    log:
        "<study>/logs/published_table/published_table.log",
    conda:
        "../envs/analysis.yaml"
    params:
        models=study.evaluated,
    script:
        "../workflow/scripts/published_table.py"


rule latex_numbers:
    input:
        metrics="<study>/metrics/metrics.csv",
        comparisons="<study>/comparisons/comparisons.csv",
        published=PUBLISHED,
        agreement=["<study>/agreement/agreement.csv"] if "agreement_table" in TABLES else [],
        pilot=["<study>/tables/table6_pilot.csv"] if "table6" in TABLES else [],
        funnel=["<study>/tables/funnel.csv"] if "funnel_table" in TABLES else [],
    output:
        tex="<study>/tables/numbers.tex",
    log:
        "<study>/logs/latex_numbers/latex_numbers.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=study.evaluated,
    script:
        "../workflow/scripts/latex_numbers.py"


rule judge_error:
    input:
        claims="config/claims.yaml",
        schema="workflow/schemas/claims.schema.yaml",
        metrics="<study>/metrics/metrics.csv",
    output:
        multiext("<study>/tables/judge_error", md=".md", tex=".tex"),
        csv=report("<study>/tables/judge_error.csv", **in_report("judge_error")),
    log:
        "<study>/logs/judge_error/judge_error.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=study.evaluated,
        guards=config["judging"]["guards"],
    script:
        "../workflow/scripts/judge_error.py"


rule corrected_asr:
    input:
        answers=[f"<study>/measure/{m}/{b}.jsonl" for m, b in study.audited],
        verdicts=["<study>/audit/verdicts.jsonl"] if wiring.returned_sheets() else [],
    output:
        multiext("<study>/tables/corrected_asr", md=".md", tex=".tex"),
        csv=report("<study>/tables/corrected_asr.csv", **in_report("corrected_asr")),
    log:
        "<study>/logs/corrected_asr/corrected_asr.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=[model for model, _ in study.audited],
        statistics=config["statistics"],
    script:
        "../workflow/scripts/corrected_asr.py"


rule open_question:
    input:
        measures=measures("open_question"),
        manifests=[f"<study>/align/{m}/manifest.json" for m in trained_of("open_question")],
        pairs=wiring.dataset_half("train"),
    output:
        multiext("<study>/tables/open_question", md=".md", tex=".tex"),
        csv=report("<study>/tables/open_question.csv", **in_report("open_question")),
    log:
        "<study>/logs/open_question/open_question.log",
    conda:
        "../envs/analysis.yaml"
    params:
        models=models_of("open_question"),
        kinds={name: benchmark.kind for name, benchmark in study.benchmarks.items()},
        translated=translated_of("open_question"),
    script:
        "../workflow/scripts/open_question.py"
