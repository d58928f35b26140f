"""Merges an adapter into its base: a whole model as transformers loads it, with tokenizer and chat template."""

from pathlib import Path

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.backends.whole import write_whole

    adapter = next(path for path in map(Path, snakemake.input.weights) if path.name == "adapter_model.safetensors")
    write_whole(snakemake.params.base, adapter.parent, snakemake.output[0])
