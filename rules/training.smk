# Pairs → reference log-probabilities, once per base → one adapter, or one whole model, per variant.


rule reference:
    input:
        weights=wiring.asked_weights("reference"),
        pairs=wiring.dataset_half("train"),
    output:
        "<study>/reference/{base}.parquet",
    log:
        "<study>/logs/reference/{base}.log",
    conda:
        "../envs/training.yaml"
    resources:
        gpu=wiring.gpus("reference"),
    params:
        base=wiring.asked_row("reference"),
        settings=wiring.reference_settings,
        how=wiring.launched("reference"),
    script:
        "../workflow/scripts/reference.py"


use rule reference as reference_held_out with:
    input:
        weights=wiring.asked_weights("reference"),
        pairs=wiring.dataset_half("test"),
    output:
        "<study>/reference_held_out/{base}.parquet",
    log:
        "<study>/logs/reference_held_out/{base}.log",


rule translate_prompts:
    input:
        pairs=wiring.dataset_half("train"),
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
        deepl=building.route_codes,
    script:
        "../workflow/scripts/translate_prompts.py"


rule align:
    input:
        unpack(wiring.training_inputs),
        pairs=wiring.dataset_half("train"),
    output:
        adapter="<study>/align/{model}/adapter_model.safetensors",
        config="<study>/align/{model}/adapter_config.json",
        manifest="<study>/align/{model}/manifest.json",
        log="<study>/align/{model}/log.csv",
    log:
        "<study>/logs/align/{model}.log",
    wildcard_constraints:
        model=one_of(model for model in study.variants if model not in study.trained_fully),
    conda:
        "../envs/training.yaml"
    resources:
        gpu=wiring.gpus("align"),
    params:
        base=wiring.asked_row("align"),
        languages=wiring.training_languages,
        as_many_as=wiring.training_as_many_as,
        run=wiring.training_run,
        how=wiring.launched("align"),
    script:
        "../workflow/scripts/align.py"


if study.trained_fully:

    use rule align as align_fully with:
        output:
            weights=directory("<study>/align/{model}/weights"),
            manifest="<study>/align/{model}/manifest.json",
            log="<study>/align/{model}/log.csv",
        wildcard_constraints:
            model=one_of(study.trained_fully),
