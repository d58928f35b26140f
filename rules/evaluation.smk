# Models × benchmarks → responses → labels of guards → verdicts; languages, knowledge, fluency.


rule load_benchmark:
    input:
        wiring.benchmark_input,
    output:
        "<study>/load_benchmark/{benchmark}.jsonl",
    log:
        "<study>/logs/load_benchmark/{benchmark}.log",
    conda:
        "../envs/dataset.yaml"
    params:
        benchmark=wiring.benchmark_row,
    script:
        "../workflow/scripts/load_benchmark.py"


rule generate:
    input:
        prompts=rules.load_benchmark.output[0],
        weights=wiring.asked_weights("generate"),
    output:
        "<study>/generate/{model}/{benchmark}.jsonl",
    log:
        "<study>/logs/generate/{model}/{benchmark}.log",
    group:
        together("generate")
    conda:
        "../envs/inference.yaml"
    resources:
        gpu=wiring.gpus("generate"),
        api=wiring.api("generate"),
    params:
        model=wiring.asked_row("generate"),
        answer=wiring.answer_settings,
        decoding={k: config["generation"][k] for k in ("temperature", "top_p")},
        how=wiring.how("generate"),
        ahead=ahead("generate", answer=wiring.answer_settings),
    script:
        "../workflow/scripts/generate.py"


rule judge:
    input:
        responses=rules.generate.output[0],
        weights=wiring.asked_weights("judge"),
        templates=wiring.asked_template_files("judge"),
    output:
        "<study>/judge/{judge}/{model}/{benchmark}.jsonl",
    log:
        "<study>/logs/judge/{judge}/{model}/{benchmark}.log",
    group:
        together("judge")
    conda:
        "../envs/inference.yaml"
    resources:
        gpu=wiring.gpus("judge"),
        api=wiring.api("judge"),
    params:
        judge=wiring.asked_row("judge"),
        templates=wiring.asked_templates("judge"),
        how=wiring.how("judge"),
        ahead=ahead("judge"),
    script:
        "../workflow/scripts/judge.py"


rule validate_judge:
    input:
        responses=rules.human_labels.output[0],
        weights=wiring.asked_weights("validate_judge"),
        templates=wiring.asked_template_files("validate_judge"),
    output:
        "<study>/validate_judge/{judge}.jsonl",
    log:
        "<study>/logs/validate_judge/{judge}.log",
    conda:
        "../envs/inference.yaml"
    resources:
        gpu=wiring.gpus("validate_judge"),
        api=wiring.api("validate_judge"),
    params:
        judge=wiring.asked_row("validate_judge"),
        sees=wiring.sees,
        templates=wiring.asked_templates("validate_judge"),
        how=wiring.how("validate_judge"),
    script:
        "../workflow/scripts/validate_judge.py"


rule adjudicate:
    input:
        responses=rules.generate.output[0],
        labels=collect("<study>/judge/{judge}/{{model}}/{{benchmark}}.jsonl", judge=config["judging"]["guards"]),
        weights=wiring.asked_weights("adjudicate"),
        templates=wiring.asked_template_files("adjudicate"),
    output:
        "<study>/adjudicate/{model}/{benchmark}.jsonl",
    log:
        "<study>/logs/adjudicate/{model}/{benchmark}.log",
    conda:
        "../envs/inference.yaml"
    resources:
        gpu=wiring.gpus("adjudicate"),
        api=wiring.api("adjudicate"),
    params:
        adjudicator=wiring.asked_row("adjudicate"),
        judging={k: config["judging"][k] for k in ("guards", "adjudicator_sees")},
        templates=wiring.asked_templates("adjudicate"),
        how=wiring.how("adjudicate"),
    script:
        "../workflow/scripts/adjudicate.py"


rule adjudicate_both:
    input:
        responses=rules.generate.output[0],
        labels=rules.adjudicate.input.labels,
        weights=wiring.asked_weights("adjudicate"),
        templates=wiring.asked_template_files("adjudicate"),
    output:
        "<study>/adjudicate_both/{model}/{benchmark}.jsonl",
    log:
        "<study>/logs/adjudicate_both/{model}/{benchmark}.log",
    conda:
        "../envs/inference.yaml"
    resources:
        gpu=wiring.gpus("adjudicate"),
        api=wiring.api("adjudicate"),
    params:
        adjudicator=wiring.asked_row("adjudicate"),
        guards=config["judging"]["guards"],
        templates=wiring.asked_templates("adjudicate"),
        sample=config["judging"]["both_ways"],
        seed=config["statistics"]["seed"],
        how=wiring.how("adjudicate"),
    script:
        "../workflow/scripts/adjudicate_both.py"


rule judge_fluency:
    input:
        responses=rules.generate.output[0],
        weights=wiring.asked_weights("judge_fluency"),
        templates=wiring.asked_template_files("judge_fluency"),
    output:
        "<study>/judge_fluency/{model}/{benchmark}.jsonl",
    log:
        "<study>/logs/judge_fluency/{model}/{benchmark}.log",
    group:
        together("judge_fluency")
    conda:
        "../envs/inference.yaml"
    resources:
        gpu=wiring.gpus("judge_fluency"),
        api=wiring.api("judge_fluency"),
    params:
        judge=wiring.asked_row("judge_fluency"),
        max_new_tokens=config["fluency"]["max_new_tokens"],
        templates=wiring.asked_templates("judge_fluency"),
        how=wiring.how("judge_fluency"),
        ahead=ahead("judge_fluency"),
    script:
        "../workflow/scripts/judge_fluency.py"


rule knowledge:
    input:
        questions=rules.load_benchmark.output[0],
        weights=wiring.asked_weights("knowledge"),
    output:
        "<study>/knowledge/{model}/{benchmark}.jsonl",
    log:
        "<study>/logs/knowledge/{model}/{benchmark}.log",
    conda:
        "../envs/inference.yaml"
    resources:
        gpu=wiring.gpus("knowledge"),
    params:
        model=wiring.asked_row("knowledge"),
        settings={k: config["knowledge"][k] for k in ("few_shot", "limit")},
        how=wiring.how("knowledge"),
    script:
        "../workflow/scripts/knowledge.py"
