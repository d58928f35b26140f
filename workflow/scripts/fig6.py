"""Figure 6: change in fluency and correctness per run of the first base."""

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
    data = data[data["language"] == "all"]
    with plots.style(**params.figures, columns=1) as width:
        plots.save(figures.changes(data, width), data, snakemake.output)
