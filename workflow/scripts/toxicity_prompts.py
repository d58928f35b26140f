"""Writes the miniature's toxicity prompts in the layout of the real benchmark."""

from pathlib import Path
from typing import TYPE_CHECKING

from refuseu.job.start import script
from refuseu.miniature.toxicity import write
from refuseu.miniature.world import World

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    p = snakemake.params
    world = World(Path(snakemake.input.corpus[0]).parent, p.benchmark["languages"])
    write(world, p.benchmark["source"], p.benchmark["languages"], snakemake.output[0], p.seed)
