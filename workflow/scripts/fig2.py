"""Figure 2: agreement of the prompt judges per language."""

from typing import TYPE_CHECKING

from refuseu.artifacts import figures, frames, plots
from refuseu.job.start import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    data = frames.read_metrics(snakemake.input.agreement)
    with plots.style(**snakemake.params.figures) as width:
        plots.save(figures.judges(data, width), data, snakemake.output)
