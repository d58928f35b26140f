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
    conda:
        "../envs/assets.yaml"
    params:
        kind="model",
        asset=model_asset,
    retries: 3
    script:
        "../workflow/scripts/fetch_asset.py"


rule fetch_dataset:
    output:
        "<study>/fetch_dataset/dataset.json",
    log:
        "<study>/logs/fetch_dataset/dataset.log",
    conda:
        "../envs/assets.yaml"
    params:
        kind="dataset",
        asset={k: config["dataset"][k] for k in ("repository", "revision")},
    retries: 3
    script:
        "../workflow/scripts/fetch_asset.py"


rule fetch_benchmark:
    output:
        "<study>/fetch_benchmark/{benchmark}.json",
    log:
        "<study>/logs/fetch_benchmark/{benchmark}.log",
    conda:
        "../envs/assets.yaml"
    params:
        kind="dataset",
        asset=benchmark_asset,
    retries: 3
    script:
        "../workflow/scripts/fetch_asset.py"


rule fetch_language_model:
    output:
        "<study>/fetch_language_model/fasttext.json",
    log:
        "<study>/logs/fetch_language_model/fasttext.log",
    conda:
        "../envs/assets.yaml"
    params:
        kind="model",
        asset={k: config["language_identification"][k] for k in ("repository", "revision")},
    retries: 3
    script:
        "../workflow/scripts/fetch_asset.py"
