# The miniature's own tokenizer, models and toxicity prompts, and how good its judges are.


rule train_tokenizer:
    input:
        corpus=corpus_files(study.built),
        template="resources/miniature/templates/chat.jinja",
        templates=list(templates_of(*judges()).values()),
    output:
        "<study>/train_tokenizer/tokenizer.json",
    log:
        "<study>/logs/train_tokenizer/tokenizer.log",
    conda:
        "../envs/training.yaml"
    params:
        languages=list(study.built),
        vocabulary=config["miniature"]["vocabulary"],
        templates=templates_of(*judges()),
    script:
        "../workflow/scripts/train_tokenizer.py"


rule train_model:
    input:
        unpack(start_weights),
        corpus=corpus_files(study.built),
        tokenizer=rules.train_tokenizer.output[0],
        templates=list(templates_of(*judges()).values()),
    output:
        weights="<study>/train_model/{model}/model.safetensors",
        config="<study>/train_model/{model}/config.json",
        tokenizer="<study>/train_model/{model}/tokenizer.json",
    log:
        "<study>/logs/train_model/{model}.log",
    conda:
        "../envs/training.yaml"
    params:
        languages=list(study.built),
        spec=miniature_spec,
        seed=config["miniature"]["seed"],
        templates=templates_of(*judges()),
    script:
        "../workflow/scripts/train_model.py"


rule toxicity_prompts:
    input:
        corpus=benchmark_corpus,
    output:
        directory("<study>/toxicity_prompts/{benchmark}"),
    log:
        "<study>/logs/toxicity_prompts/{benchmark}.log",
    conda:
        "../envs/dataset.yaml"
    params:
        benchmark=benchmark_row,
        seed=config["miniature"]["seed"],
    script:
        "../workflow/scripts/toxicity_prompts.py"


rule judge_accuracy:
    input:
        corpus=corpus_files(study.built),
        weights=weights(*judges()),
        templates=list(templates_of(*judges()).values()),
        markers=config["outcomes"]["refusal_markers"],
    output:
        "<study>/judge_accuracy/judge_accuracy.csv",
    log:
        "<study>/logs/judge_accuracy/judge_accuracy.log",
    conda:
        "../envs/inference.yaml"
    params:
        languages=list(study.built),
        judges=[row(judge) for judge in judges()],
        templates=templates_of(*judges()),
        seed=config["miniature"]["seed"],
        how=how("judge_fluency"),
    script:
        "../workflow/scripts/judge_accuracy.py"


include: "miniature_tables.smk"
