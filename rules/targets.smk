# Named stop points. Every table and figure is one, too: rules/artifacts.smk.


localrules:
    pilot,
    dataset,
    models,
    generations,
    verdicts,
    tables,
    figures,
    numbers,
    judge_validation,


rule pilot:
    input:
        "<study>/feasibility/main.jsonl" if config["dataset"]["fill"] else "<study>/build_pairs/pilot/pairs.jsonl",


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
        [f"<study>/{table.csv}" for table in artifacts.own("table")],


rule figures:
    input:
        [f"<study>/{figure.csv}" for figure in artifacts.own("figure")],


rule numbers:
    input:
        "<study>/tables/numbers.tex",


rule judge_validation:
    input:
        [f"<study>/{artifact.csv}" for artifact in artifacts.validation()],
