"""Figure 4: ASR against language consistency."""

from typing import TYPE_CHECKING

from refuseu import artifacts, figures, plots
from refuseu.script import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    params = snakemake.params
    metrics = artifacts.read_metrics(*snakemake.input.measures)
    runs = artifacts.runs(params.models)
    measures = ["asr", "language_consistency"]
    data = artifacts.side_by_side(metrics, runs, params.languages, measures)
    with plots.style(**params.figures) as width:
        plots.save(figures.safety_and_language(data, width), data, snakemake.output)
