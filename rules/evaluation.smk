# Models × benchmarks → responses → labels of guards → verdicts; languages, knowledge, fluency.


rule load_benchmark:
    input:
        benchmark_input,
    output:
        "<study>/load_benchmark/{benchmark}.jsonl",
    log:
        "<study>/logs/load_benchmark/{benchmark}.log",
    conda:
        "../envs/dataset.yaml"
    params:
        benchmark=benchmark_row,
    script:
        "../workflow/scripts/load_benchmark.py"


rule generate:
    input:
        prompts=rules.load_benchmark.output[0],
        weights=answering_weights,
    output:
        "<study>/generate/{model}/{benchmark}.jsonl",
    log:
        "<study>/logs/generate/{model}/{benchmark}.log",
    conda:
        "../envs/inference.yaml"
    resources:
        gpu=gpus("generate"),
        api=api("generate"),
    params:
        model=generating_row,
        answer=answer_settings,
        decoding={k: config["generation"][k] for k in ("temperature", "top_p")},
        how=how("generate"),
    script:
        "../workflow/scripts/generate.py"


rule judge:
    input:
        responses=rules.generate.output[0],
        weights=judge_weights,
        templates=judge_template_files,
    output:
        "<study>/judge/{judge}/{model}/{benchmark}.jsonl",
    log:
        "<study>/logs/judge/{judge}/{model}/{benchmark}.log",
    conda:
        "../envs/inference.yaml"
    resources:
        gpu=gpus("judge"),
        api=api("judge"),
    params:
        judge=judge_row,
        templates=judge_templates,
        how=how("judge"),
    script:
        "../workflow/scripts/judge.py"


rule adjudicate:
    input:
        responses=rules.generate.output[0],
        labels=collect("<study>/judge/{judge}/{{model}}/{{benchmark}}.jsonl", judge=config["judging"]["guards"]),
        weights=weights(config["judging"]["adjudicator"]),
        templates=list(templates_of(config["judging"]["adjudicator"]).values()),
    output:
        "<study>/adjudicate/{model}/{benchmark}.jsonl",
    log:
        "<study>/logs/adjudicate/{model}/{benchmark}.log",
    conda:
        "../envs/inference.yaml"
    resources:
        gpu=gpus("adjudicate"),
        api=api("adjudicate"),
    params:
        adjudicator=row(config["judging"]["adjudicator"]),
        judging={k: config["judging"][k] for k in ("guards", "adjudicator_sees")},
        templates=templates_of(config["judging"]["adjudicator"]),
        how=how("adjudicate"),
    script:
        "../workflow/scripts/adjudicate.py"


rule judge_fluency:
    input:
        responses=rules.generate.output[0],
        weights=weights(config["fluency"]["judge"]),
        templates=list(templates_of(config["fluency"]["judge"]).values()),
    output:
        "<study>/judge_fluency/{model}/{benchmark}.jsonl",
    log:
        "<study>/logs/judge_fluency/{model}/{benchmark}.log",
    conda:
        "../envs/inference.yaml"
    resources:
        gpu=gpus("judge_fluency"),
        api=api("judge_fluency"),
    params:
        judge=row(config["fluency"]["judge"]),
        max_new_tokens=config["fluency"]["max_new_tokens"],
        templates=templates_of(config["fluency"]["judge"]),
        how=how("judge_fluency"),
    script:
        "../workflow/scripts/judge_fluency.py"


rule knowledge:
    input:
        questions=rules.load_benchmark.output[0],
        weights=answering_weights,
    output:
        "<study>/knowledge/{model}/{benchmark}.jsonl",
    log:
        "<study>/logs/knowledge/{model}/{benchmark}.log",
    conda:
        "../envs/inference.yaml"
    resources:
        gpu=gpus("knowledge"),
    params:
        model=answering_row,
        settings={k: config["knowledge"][k] for k in ("few_shot", "limit")},
        how=how("knowledge"),
    script:
        "../workflow/scripts/knowledge.py"
