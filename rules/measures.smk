# Verdicts, scores and answers → measures with intervals, and comparisons of runs.


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
