"""Figure 11: change in fluency and correctness per language, runs of the second base."""

from typing import TYPE_CHECKING

from refuseu.artifacts import figures, frames, plots
from refuseu.job.start import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    params = snakemake.params
    comparisons = frames.read_metrics(*snakemake.input.comparisons)
    data = frames.fluency_changes(comparisons, params.models, params.languages)
    with plots.style(**params.figures) as width:
        plots.save(figures.heatmap(data, width, scale=1, digits=2, delta=True), data, snakemake.output)
