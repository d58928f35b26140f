"""A base with an adapter merged into it, as it is published: nothing in it is set for how this workflow asks it."""

from pathlib import Path

from transformers import AutoTokenizer

from refuseu.asked import Asked
from refuseu.backends.local import load

SHARD = "5GB"  # of weights in one file; hubs and networks dislike larger ones


def write_whole(base: Asked, adapter: str | Path, folder: str | Path) -> None:
    """Write weights, configs, tokenizer and chat template; works on the CPU and needs memory for the base.

    Parameters
    ----------
    base : its row of models.tsv; the weights keep its dtype
    """
    weights, _ = load(base, adapter, on_gpu=False)
    weights.save_pretrained(folder, max_shard_size=SHARD)
    # The tokenizer as its publisher has it, which pads on its own side.
    revision = None if base["revision"] == "local" else base["revision"]
    AutoTokenizer.from_pretrained(base["repository"], revision=revision).save_pretrained(folder)
    for file in Path(folder).glob("*.safetensors"):
        file.chmod(0o644)  # safetensors writes 0600
