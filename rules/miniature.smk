# The miniature's own tokenizer, models and toxicity prompts, and how good its judges are.

from refuseu.study.miniature import Miniature

miniature = Miniature(study)


rule train_tokenizer:
    input:
        corpus=miniature.corpus(study.built),
        template="resources/miniature/templates/chat.jinja",
        templates=list(wiring.templates(*miniature.judges()).values()),
    output:
        "<study>/train_tokenizer/tokenizer.json",
    log:
        "<study>/logs/train_tokenizer/tokenizer.log",
    priority: 1
    conda:
        "../envs/training.yaml"
    params:
        languages=list(study.built),
        vocabulary=config["miniature"]["vocabulary"],
        templates=wiring.templates(*miniature.judges()),
    script:
        "../workflow/scripts/train_tokenizer.py"


rule train_model:
    input:
        unpack(miniature.start),
        corpus=miniature.corpus(study.built),
        templates=list(wiring.templates(*miniature.judges()).values()),
    output:
        weights="<study>/train_model/{model}/model.safetensors",
        config="<study>/train_model/{model}/config.json",
        tokenizer="<study>/train_model/{model}/tokenizer.json",
    log:
        "<study>/logs/train_model/{model}.log",
    priority: miniature.first
    conda:
        "../envs/training.yaml"
    params:
        languages=list(study.built),
        spec=miniature.training,
        brought=miniature.brought,
        seed=config["miniature"]["seed"],
        templates=wiring.templates(*miniature.judges()),
    script:
        "../workflow/scripts/train_model.py"


rule toxicity_prompts:
    input:
        corpus=miniature.benchmark_corpus,
    output:
        directory("<study>/toxicity_prompts/{benchmark}"),
    log:
        "<study>/logs/toxicity_prompts/{benchmark}.log",
    conda:
        "../envs/dataset.yaml"
    params:
        benchmark=wiring.benchmark_row,
        seed=config["miniature"]["seed"],
    script:
        "../workflow/scripts/toxicity_prompts.py"


rule judge_accuracy:
    input:
        corpus=miniature.corpus(study.built),
        weights=wiring.weights(*miniature.judges()),
        templates=list(wiring.templates(*miniature.judges()).values()),
        markers=config["outcomes"]["refusal_markers"],
    output:
        "<study>/judge_accuracy/judge_accuracy.csv",
    log:
        "<study>/logs/judge_accuracy/judge_accuracy.log",
    conda:
        "../envs/inference.yaml"
    params:
        languages=list(study.built),
        judges=[wiring.row(judge) for judge in miniature.judges()],
        templates=wiring.templates(*miniature.judges()),
        seed=config["miniature"]["seed"],
        how=miniature.judges_asking,
    script:
        "../workflow/scripts/judge_accuracy.py"
