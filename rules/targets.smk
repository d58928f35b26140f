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
    export,
    export_unmeasured,


rule pilot:
    """How many prompts each category and language needs, by what the pilot's became; without fill the pilot's pairs."""
    input:
        "<study>/feasibility/main.jsonl" if config["dataset"]["fill"] else "<study>/build_pairs/pilot/pairs.jsonl",


rule dataset:
    """Preference pairs and test prompts, and nothing after them."""
    input:
        wiring.dataset_half("train"),
        wiring.dataset_half("test"),


rule models:
    """All adapters (and whole models), with their manifests."""
    input:
        collect("<study>/align/{model}/manifest.json", model=list(study.variants)),


rule generations:
    """All responses."""
    input:
        [f"<study>/generate/{m}/{b}.jsonl" for m, b in study.evaluations("harmful", "benign", "fluency")],


rule verdicts:
    """Final labels of all responses to harmful prompts."""
    input:
        [f"<study>/adjudicate/{m}/{b}.jsonl" for m, b in study.evaluations("harmful")],


rule tables:
    """All tables that the study makes by default."""
    input:
        [f"<study>/{table.csv}" for table in artifacts.own("table")],


rule figures:
    """All figures that the study makes by default."""
    input:
        [f"<study>/{figure.csv}" for figure in artifacts.own("figure")],


rule numbers:
    """What tables and figures show as LaTeX macros for a manuscript."""
    input:
        "<study>/tables/numbers.tex",


rule judge_validation:
    """Judges and markers against answers that people judged; not made by default."""
    input:
        [f"<study>/{artifact.csv}" for artifact in artifacts.validation()],


rule export:
    """Each trained model whole, with a card of what was measured of it, ready for a hub; not made by default."""
    input:
        collect("<study>/export_model/{model}/README.md", model=list(study.variants)),


rule export_unmeasured:
    """The same before anything was evaluated, which the cards say; not made by default."""
    input:
        collect("<study>/export_model_unmeasured/{model}/README.md", model=list(study.variants)),
