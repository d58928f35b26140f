# Pairs → reference log-probabilities, once per base → one adapter per variant.


rule select_pairs:
    input:
        dataset_half("train"),
    output:
        "<study>/select_pairs/{model}.jsonl",
    log:
        "<study>/logs/select_pairs/{model}.log",
    conda:
        "../envs/dataset.yaml"
    params:
        languages=variant_languages,
    script:
        "../workflow/scripts/select_pairs.py"


rule reference:
    input:
        weights=base_weights,
        pairs=dataset_half("train"),
    output:
        "<study>/reference/{base}.parquet",
    log:
        "<study>/logs/reference/{base}.log",
    conda:
        "../envs/training.yaml"
    resources:
        gpu=gpus("reference"),
    params:
        base=base_row,
        settings=reference_settings,
        how=launched("reference"),
    script:
        "../workflow/scripts/reference.py"


rule translate_prompts:
    input:
        pairs=dataset_half("train"),
        memory=config["dataset"]["translation"]["memory"] or [],
    output:
        "<study>/translate_prompts/{route}.jsonl",
    log:
        "<study>/logs/translate_prompts/{route}.log",
    conda:
        "../envs/dataset.yaml"
    resources:
        api=1,
    params:
        route=lookup("{route}", within=study.routes),
        translation=config["dataset"]["translation"],
        deepl=route_codes,
    script:
        "../workflow/scripts/translate_prompts.py"


rule align:
    input:
        unpack(training_inputs),
        pairs="<study>/select_pairs/{model}.jsonl",
    output:
        adapter="<study>/align/{model}/adapter_model.safetensors",
        config="<study>/align/{model}/adapter_config.json",
        manifest="<study>/align/{model}/manifest.json",
        log="<study>/align/{model}/log.csv",
    log:
        "<study>/logs/align/{model}.log",
    conda:
        "../envs/training.yaml"
    resources:
        gpu=gpus("align"),
    params:
        base=variant_base_row,
        run=training_run,
        how=launched("align"),
    script:
        "../workflow/scripts/align.py"
