"""Who completes: what names the weights behind a row of models.tsv."""

from pathlib import Path

from refuseu.asked import Asked
from refuseu.records import Record, file_digest
from refuseu.weights import check_weights


def identity(model: Asked, adapter: str | Path | None) -> Record:
    """Who answers, so that a record of other weights never matches.

    Parameters
    ----------
    model : a row of models.tsv as a dict
    adapter : folder of a LoRA adapter, or None
    """
    revision: str | list[str] = model["revision"]
    if revision == "local":
        revision = folder_digest(model["repository"])
    who: Record = {
        "repository": "" if model["revision"] == "local" else model["repository"],
        "revision": revision,
        "endpoint": model["endpoint"],
        "dtype": model["dtype"],
        "adapter": file_digest(Path(adapter) / "adapter_model.safetensors") if adapter else "",
    }
    if model.get("parameters"):
        who["parameters"] = model["parameters"]
    # Kernels for adapters round otherwise than merged weights.
    return who | {"adapters": "lora"} if adapter and model.get("adapters") == "lora" else who


def folder_digest(folder: str | Path) -> list[str]:
    """Digests of the weights, the tokenizer and the generation config, which names ends, in a local model folder.

    Raises
    ------
    UserError
        If there are no weights in it.
    """
    check_weights(folder)
    files = sorted(Path(folder).glob("*.safetensors")) + sorted(Path(folder).glob("tokenizer*"))
    others = [file for kind in ("*.jinja", "generation_config.json") for file in sorted(Path(folder).glob(kind))]
    return [file_digest(file) for file in [*files, *others]]
