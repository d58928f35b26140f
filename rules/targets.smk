# Named stop points. Every table and figure has a rule of its own name in rules/tables.smk or rules/figures.smk.


localrules:
    dataset,
    models,
    generations,
    verdicts,
    tables,
    figures,
    numbers,


# Seconds of work on a few small tables, for which a queue would take longer: on a cluster these run where Snakemake does.
localrules:
    agreement_table,
    claims,
    comparisons,
    confusion_figure,
    disagreement,
    fig2,
    fig3,
    fig4,
    fig6,
    fig7,
    fig8,
    fig10,
    fig11,
    fig12,
    funnel_table,
    latex_numbers,
    metrics,
    outcomes_table,
    polyglotox,
    published_table,
    report,
    rtp_lx,
    table1,
    table2,
    table3,
    table8,
    table16,
    training_curves,


rule dataset:
    input:
        wiring.dataset_half("train"),
        wiring.dataset_half("test"),


rule models:
    input:
        collect("<study>/align/{model}/manifest.json", model=list(study.variants)),


rule generations:
    input:
        [f"<study>/generate/{m}/{b}.jsonl" for m, b in study.evaluations("harmful", "benign", "fluency")],


rule verdicts:
    input:
        [f"<study>/adjudicate/{m}/{b}.jsonl" for m, b in study.evaluations("harmful")],


rule tables:
    input:
        collect("<study>/tables/{name}.csv", name=list(TABLES.values())),


rule figures:
    input:
        collect("<study>/figures/{name}.pdf", name=list(FIGURES.values())),


rule numbers:
    input:
        "<study>/tables/numbers.tex",
