"""Loss, reward and consistency of every training run, from its log."""

from typing import TYPE_CHECKING

from refuseu.artifacts import figures, frames, plots
from refuseu.job.start import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    data = frames.logs(snakemake.input.logs, snakemake.params.models)
    with plots.style(**snakemake.params.figures) as width:
        plots.save(figures.curves(data, width), data, snakemake.output)
