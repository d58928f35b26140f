"""Figure 8: change in language consistency from the abliterated base to each aligned run."""

from typing import TYPE_CHECKING

from refuseu.artifacts import figures, frames, plots
from refuseu.job.start import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    params = snakemake.params
    comparisons = frames.read_metrics(*snakemake.input.comparisons)
    runs = frames.runs(params.models)
    where = {"metric": "language_consistency", "reference": "abliterated"}
    data = frames.cells(comparisons, runs, params.languages, **where)
    with plots.style(**params.figures) as width:
        plots.save(figures.heatmap(data, width, digits=1, delta=True), data, snakemake.output)
