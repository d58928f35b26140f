"""Which languages the identifier takes for each other."""

from typing import TYPE_CHECKING

import pandas as pd

from refuseu.analysis import confusion
from refuseu.artifacts import figures, plots
from refuseu.job.start import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    params = snakemake.params
    counts = pd.read_csv(snakemake.input.confusion, keep_default_na=False)
    data = confusion.cells(counts, params.languages, params.neighbours)
    with plots.style(**params.figures) as width:
        plots.save(figures.heatmap(data.replace(confusion.SHORT), width, limit=100), data, snakemake.output)
