# Measures, tables, figures, claims and the report: everything after the last model has answered.

# Target → file name of each artifact; those of the miniature's judges only where it makes them.
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
FIGURES = {
    "fig2": "fig2_kappa",
    "fig3": "fig3_asr_heatmap",
    "fig4": "fig4_asr_vs_language_consistency",
    "fig6": "fig6_fluency_drop_by_run",
    "fig7": "fig7_fluency_drop_by_language",
    "fig8": "fig8_language_consistency_delta",
    "fig10": "fig10_fluency_drop_by_run",
    "fig11": "fig11_fluency_drop_by_language",
    "fig12": "fig12_asr_open_models",
    "training_curves": "training_curves",
}
if "miniature" in config:
    TABLES["judge_accuracy_table"] = "judge_accuracy"
if config["dataset"]["source"] == "hub":  # nothing is built, unless asked for by name
    del TABLES["table6"], TABLES["funnel_table"], TABLES["agreement_table"], FIGURES["fig2"]
TRAINED_ON = {model: list(variant.languages) for model, variant in study.variants.items()}
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


rule measure:
    input:
        unpack(records_of),
    output:
        csv="<study>/measure/{model}.csv",
    log:
        "<study>/logs/measure/{model}.log",
    conda:
        "../envs/analysis.yaml"
    params:
        labels=lookup("{model}", within=study.evaluated),
        languages=config["languages"],
        statistics=config["statistics"],
    script:
        "../workflow/scripts/measure.py"


rule metrics:
    input:
        measures=collect("<study>/measure/{model}.csv", model=list(study.evaluated)),
    output:
        csv="<study>/metrics/metrics.csv",
    log:
        "<study>/logs/metrics/metrics.log",
    conda:
        "../envs/analysis.yaml"
    script:
        "../workflow/scripts/metrics.py"


rule compare:
    input:
        verdicts=[f"<study>/adjudicate/{m}/{b}.jsonl" for m, b in study.evaluations("harmful")],
        outcomes=[f"<study>/outcomes/{m}/{b}.jsonl" for m, b in study.evaluations("harmful", "benign", "fluency")],
        fluency=[f"<study>/judge_fluency/{m}/{b}.jsonl" for m, b in study.evaluations("fluency")],
        knowledge=[f"<study>/knowledge/{m}/{b}.jsonl" for m, b in study.evaluations("knowledge")],
    output:
        csv="<study>/compare/comparisons.csv",
    log:
        "<study>/logs/compare/compare.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=study.evaluated,
        statistics=config["statistics"],
    script:
        "../workflow/scripts/compare.py"


rule agreement:
    input:
        labels=collect("<study>/label_prompts/main/{judge}.jsonl", judge=config["dataset"]["prompt_judges"]),
    output:
        csv="<study>/agreement/agreement.csv",
    log:
        "<study>/logs/agreement/agreement.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        statistics=config["statistics"],
    script:
        "../workflow/scripts/agreement.py"


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


rule fig2:
    input:
        agreement="<study>/agreement/agreement.csv",
    output:
        report(
            multiext("<study>/figures/fig2_kappa", pdf=".pdf", png=".png", csv=".csv"),
            caption="../workflow/report/fig2.rst",
            category="Figures",
        ),
    log:
        "<study>/logs/fig2/fig2.log",
    conda:
        "../envs/analysis.yaml"
    params:
        figures=config["figures"],
    script:
        "../workflow/scripts/fig2.py"


rule fig3:
    input:
        metrics="<study>/metrics/metrics.csv",
    output:
        report(
            multiext("<study>/figures/fig3_asr_heatmap", pdf=".pdf", png=".png", csv=".csv"),
            caption="../workflow/report/fig3.rst",
            category="Figures",
        ),
    log:
        "<study>/logs/fig3/fig3.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=study.evaluated,
        figures=config["figures"],
    script:
        "../workflow/scripts/fig3.py"


rule fig4:
    input:
        metrics="<study>/metrics/metrics.csv",
    output:
        report(
            multiext("<study>/figures/fig4_asr_vs_language_consistency", pdf=".pdf", png=".png", csv=".csv"),
            caption="../workflow/report/fig4.rst",
            category="Figures",
        ),
    log:
        "<study>/logs/fig4/fig4.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=study.evaluated,
        figures=config["figures"],
    script:
        "../workflow/scripts/fig4.py"


rule fig6:
    input:
        comparisons="<study>/compare/comparisons.csv",
    output:
        report(
            multiext("<study>/figures/fig6_fluency_drop_by_run", pdf=".pdf", png=".png", csv=".csv"),
            caption="../workflow/report/fig6.rst",
            category="Figures",
        ),
    log:
        "<study>/logs/fig6/fig6.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=study.evaluated,
        number=0,
        figures=config["figures"],
    script:
        "../workflow/scripts/fig6.py"


rule fig7:
    input:
        comparisons="<study>/compare/comparisons.csv",
    output:
        report(
            multiext("<study>/figures/fig7_fluency_drop_by_language", pdf=".pdf", png=".png", csv=".csv"),
            caption="../workflow/report/fig7.rst",
            category="Figures",
        ),
    log:
        "<study>/logs/fig7/fig7.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=study.evaluated,
        number=0,
        figures=config["figures"],
    script:
        "../workflow/scripts/fig7.py"


rule fig8:
    input:
        comparisons="<study>/compare/comparisons.csv",
    output:
        report(
            multiext("<study>/figures/fig8_language_consistency_delta", pdf=".pdf", png=".png", csv=".csv"),
            caption="../workflow/report/fig8.rst",
            category="Figures",
        ),
    log:
        "<study>/logs/fig8/fig8.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=study.evaluated,
        figures=config["figures"],
    script:
        "../workflow/scripts/fig8.py"


rule fig10:
    input:
        comparisons="<study>/compare/comparisons.csv",
    output:
        report(
            multiext("<study>/figures/fig10_fluency_drop_by_run", pdf=".pdf", png=".png", csv=".csv"),
            caption="../workflow/report/fig10.rst",
            category="Figures",
        ),
    log:
        "<study>/logs/fig10/fig10.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=study.evaluated,
        number=1,
        figures=config["figures"],
    script:
        "../workflow/scripts/fig10.py"


rule fig11:
    input:
        comparisons="<study>/compare/comparisons.csv",
    output:
        report(
            multiext("<study>/figures/fig11_fluency_drop_by_language", pdf=".pdf", png=".png", csv=".csv"),
            caption="../workflow/report/fig11.rst",
            category="Figures",
        ),
    log:
        "<study>/logs/fig11/fig11.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=study.evaluated,
        number=1,
        figures=config["figures"],
    script:
        "../workflow/scripts/fig11.py"


rule fig12:
    input:
        metrics="<study>/metrics/metrics.csv",
    output:
        report(
            multiext("<study>/figures/fig12_asr_open_models", pdf=".pdf", png=".png", csv=".csv"),
            caption="../workflow/report/fig12.rst",
            category="Figures",
        ),
    log:
        "<study>/logs/fig12/fig12.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=study.evaluated,
        figures=config["figures"],
    script:
        "../workflow/scripts/fig12.py"


rule training_curves:
    input:
        logs=collect("<study>/align/{model}/log.csv", model=list(study.variants)),
    output:
        report(
            multiext("<study>/figures/training_curves", pdf=".pdf", png=".png", csv=".csv"),
            caption="../workflow/report/training_curves.rst",
            category="Figures",
        ),
    log:
        "<study>/logs/training_curves/training_curves.log",
    conda:
        "../envs/analysis.yaml"
    params:
        models=study.evaluated,
        figures=config["figures"],
    script:
        "../workflow/scripts/training_curves.py"


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
