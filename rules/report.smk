# The papers' claims tested on our numbers, and the page that shows everything.

SETUP = {
    "dataset": config["dataset"]["source"],
    "guards": ", ".join(config["judging"]["guards"]),
    "adjudicator": config["judging"]["adjudicator"],
    "benchmarks": ", ".join(study.benchmarks),
    "intervals": f"{config['statistics']['confidence']:.0%}, {config['statistics']['resamples']} resamples",
}
if worded := [
    t for t in pins() if config["judging"]["paraphrase"] and t in wiring.templates(*study.config["judging"]["guards"])
]:
    SETUP["wording"] = f"a paraphrase, not the publisher's words, for {', '.join(worded)}"
if config["dataset"]["source"] == "hub" and config["dataset"]["category_by_row_id"]:
    SETUP["categories"] = "of the slot that a test prompt shares a row_id with, not of the prompt itself"
if artifacts.bases:
    SETUP["stand-ins"] = ", ".join(artifacts.bases.values())
SOURCES = [
    *([", ".join(m.roles), m.model, m.repository, m.revision] for m in study.models.values()),
    *(["benchmark", b.benchmark, b.repository, b.revision] for b in study.benchmarks.values() if b.repository),
]
if config["dataset"]["source"] == "hub":
    SOURCES.append(["dataset", "released pairs", config["dataset"]["repository"], config["dataset"]["revision"]])
EXAMPLES = artifacts.evaluations("table1") if config["report"]["examples"] else []
ANSWERED = study.evaluations("harmful", "benign", "fluency")


rule claims:
    """Each finding of the papers, tested on our numbers and on the published ones."""
    input:
        claims="config/claims.yaml",
        schema="workflow/schemas/claims.schema.yaml",
        template="workflow/report/page.html.j2",
        metrics="<study>/metrics/metrics.csv",
        comparisons="<study>/comparisons/comparisons.csv",
        published=["resources/published/table1_asr_refuseu_test.csv", "resources/published/mlc.csv"],
        distances="resources/linguistic_distance.tsv",
    output:
        multiext("<study>/claims", csv=".csv", md=".md"),
        html=report("<study>/claims.html", **artifacts.in_report("claims")),
    log:
        "<study>/logs/claims/claims.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=study.evaluated,
        trained_on=artifacts.trained_on,
        statistics=config["statistics"],
        caption=artifacts.caption("claims"),
    script:
        "../workflow/scripts/claims.py"


rule latex_numbers:
    input:
        metrics="<study>/metrics/metrics.csv",
        comparisons="<study>/comparisons/comparisons.csv",
        published=artifacts.inputs(NAMED["published_table"])["published"],
        agreement=["<study>/agreement/agreement.csv"] if artifacts.has("built") else [],
        pilot=["<study>/tables/table6_pilot.csv"] if artifacts.has("built") else [],
        funnel=["<study>/tables/funnel.csv"] if artifacts.has("built") else [],
    output:
        tex="<study>/tables/numbers.tex",
    log:
        "<study>/logs/latex_numbers/latex_numbers.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=study.evaluated,
    script:
        "../workflow/scripts/latex_numbers.py"


rule spending:
    input:
        claims="<study>/claims.csv",  # by then, all that the report shows was asked
        manifests=collect("<study>/align/{model}/manifest.json", model=list(study.variants)),
        prices="resources/plan/prices.tsv",
    output:
        "<study>/spending/spending.json",
    log:
        "<study>/logs/spending/spending.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        models={name: {k: wiring.row(name)[k] for k in ("repository", "backend")} for name in study.models},
    script:
        "../workflow/scripts/spending.py"


rule report:
    """The whole study on one self-contained page; what a run without a target makes."""
    input:
        claims="<study>/claims.csv",
        template="workflow/report/page.html.j2",
        pages=artifacts.pages(),
        data=[f"<study>/{one.csv}" for one in artifacts.own("table", "figure")],
        manifests=collect("<study>/align/{model}/manifest.json", model=list(study.variants)),
        answers=[f"<study>/generate/{m}/{b}.jsonl" for m, b in EXAMPLES],
        verdicts=[f"<study>/adjudicate/{m}/{b}.jsonl" for m, b in EXAMPLES],
        spent="<study>/spending/spending.json",
        numbers="<study>/tables/numbers.tex",
    output:
        html=report("<study>/report.html", **artifacts.in_report("report")),
    log:
        "<study>/logs/report/report.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        study=config["study"],
        languages=config["languages"],
        models=study.evaluated,
        entries=artifacts.entries(),
        setup=SETUP,
        command=wiring.command,
        sources=SOURCES,
        examples=config["report"]["examples"],
        caption=artifacts.caption("report"),
    script:
        "../workflow/scripts/report.py"


rule answers:
    """All prompts, responses, labels and verdicts to look through; not made by default."""
    input:
        layout="workflow/report/answers.html.j2",
        script="workflow/report/answers.js",
        responses=[f"<study>/generate/{m}/{b}.jsonl" for m, b in ANSWERED],
        measures=[f"<study>/measure/{m}/{b}.jsonl" for m, b in ANSWERED],
        prompts=[f"<study>/load_benchmark/{b}.jsonl" for b in dict.fromkeys(b for _, b in ANSWERED)],
    output:
        html="<study>/answers/index.html",
        data=directory("<study>/answers/data"),
        parquet="<study>/answers/verdicts.parquet",
    log:
        "<study>/logs/answers/answers.log",
    conda:
        "../envs/dataset.yaml"
    params:
        study=config["study"],
        evaluations=ANSWERED,
        models=study.evaluated,
        judges=[*config["judging"]["guards"], config["judging"]["adjudicator"]],
        reveal=config["report"]["reveal"],
    script:
        "../workflow/scripts/answers.py"
