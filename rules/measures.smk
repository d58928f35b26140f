# Answers, verdicts and scores → measures with intervals, and comparisons of runs.


rule measure:
    input:
        unpack(wiring.answers),
    output:
        jsonl="<study>/measure/{model}/{benchmark}.jsonl",
        csv="<study>/measure/{model}/{benchmark}.csv",
    log:
        "<study>/logs/measure/{model}/{benchmark}.log",
    conda:
        "../envs/dataset.yaml"
    params:
        labels=lookup("{model}", within=study.evaluated),
        languages=config["languages"],
        parallel=wiring.parallel,
        identification=config["language_identification"],
        fasttext=wiring.fasttext_labels(study.languages),
        outcomes={k: config["outcomes"][k] for k in ("refusal", "repetition")},
        statistics=config["statistics"],
    script:
        "../workflow/scripts/measure.py"


rule over_seeds:
    input:
        answers=artifacts.seeded_answers,
    output:
        csv="<study>/over_seeds/{run}/{benchmark}.csv",
    log:
        "<study>/logs/over_seeds/{run}/{benchmark}.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=artifacts.seeded_models,
        confidence=config["statistics"]["confidence"],
    script:
        "../workflow/scripts/over_seeds.py"


rule metrics:
    """Every measure with interval and n, in one tidy table."""
    input:
        measures=[f"<study>/measure/{m}/{b}.csv" for b in study.benchmarks for m in study.models_on(b)],
        over_seeds=[f"<study>/over_seeds/{run}/{b}.csv" for run, b in artifacts.every_seeded()],
    output:
        csv="<study>/metrics/metrics.csv",
    log:
        "<study>/logs/metrics/metrics.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    script:
        "../workflow/scripts/metrics.py"


rule compare:
    input:
        answers=artifacts.compared_answers,
    output:
        csv="<study>/compare/{base}/{benchmark}.csv",
    log:
        "<study>/logs/compare/{base}/{benchmark}.log",
    conda:
        "../envs/analysis.yaml"
    params:
        languages=config["languages"],
        models=artifacts.compared_models,
        statistics=config["statistics"],
    script:
        "../workflow/scripts/compare.py"


rule comparisons:
    """Every paired difference of two runs."""
    input:
        comparisons=[f"<study>/compare/{base}/{b}.csv" for base, b in artifacts.all_comparisons()],
    output:
        csv="<study>/comparisons/comparisons.csv",
    log:
        "<study>/logs/comparisons/comparisons.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    script:
        "../workflow/scripts/comparisons.py"


rule confusion:
    input:
        prompts=[f"<study>/load_benchmark/{b}.jsonl" for b in wiring.foreign_prompts()],
        answers=[f"<study>/measure/{m}/{b}.jsonl" for m, b in artifacts.evaluations("confusion_figure")],
        identifier=wiring.identifier(),
    output:
        csv="<study>/confusion/confusion.csv",
    log:
        "<study>/logs/confusion/confusion.log",
    conda:
        "../envs/dataset.yaml"
    params:
        languages=list(study.languages),
        identification=config["language_identification"],
        fasttext=wiring.fasttext_labels(study.languages),
    script:
        "../workflow/scripts/confusion.py"


rule identifiers:
    input:
        bundled=wiring.bundled(),
        prompts=rules.confusion.input.prompts,
        responses=[f"<study>/generate/{m}/{b}.jsonl" for m, b in artifacts.evaluations("confusion_figure")],
        identifier=wiring.identifier(),
    output:
        csv="<study>/identifiers/identifiers.csv",
    log:
        "<study>/logs/identifiers/identifiers.log",
    conda:
        "../envs/dataset.yaml"
    params:
        languages=list(study.languages),
        identification=config["language_identification"],
        fasttext=wiring.fasttext_labels(study.languages),
    script:
        "../workflow/scripts/identifiers.py"


rule agreement:
    """Agreement of the prompt judges."""
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
