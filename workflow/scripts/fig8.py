"""Figure 8: change in language consistency from the abliterated base to each aligned run."""

from typing import TYPE_CHECKING

from refuseu import artifacts, figures, plots
from refuseu.script import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    params = snakemake.params
    comparisons = artifacts.read_metrics(*snakemake.input.comparisons)
    runs = artifacts.runs(params.models)
    where = {"metric": "language_consistency", "reference": "abliterated"}
    data = artifacts.cells(comparisons, runs, params.languages, **where)
    with plots.style(**params.figures) as width:
        plots.save(figures.heatmap(data, width, digits=1, delta=True), data, snakemake.output)
