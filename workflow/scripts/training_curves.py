"""Loss, reward and consistency of every training run, from its log."""

from typing import TYPE_CHECKING

from refuseu import artifacts, figures, plots
from refuseu.script import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    data = artifacts.logs(snakemake.input.logs, snakemake.params.models)
    with plots.style(**snakemake.params.figures) as width:
        plots.save(figures.curves(data, width), data, snakemake.output)
