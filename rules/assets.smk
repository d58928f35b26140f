# Everything fetched from outside, pinned. Only these rules may reach a network hub.


localrules:
    fetch_model,
    fetch_dataset,
    fetch_benchmark,
    fetch_language_model,


rule fetch_model:
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
