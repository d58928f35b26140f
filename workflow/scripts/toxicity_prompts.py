"""Writes the miniature's toxicity prompts in the layout of the real benchmark."""

from pathlib import Path

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.miniature.toxicity import write
    from refuseu.miniature.world import World

    p = snakemake.params
    world = World(Path(snakemake.input.corpus[0]).parent, p.benchmark["languages"])
    write(world, p.benchmark["source"], p.benchmark["languages"], snakemake.output[0], p.seed)
