# Named stop points. Every table and figure has a rule of its own name in rules/tables.smk or rules/figures.smk.


localrules:
    dataset,
    models,
    generations,
    verdicts,
    tables,
    figures,


rule dataset:
    input:
        dataset_half("train"),
        dataset_half("test"),


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
