"""Figure 12: ASR of the open models on RefusEU-test."""

from typing import TYPE_CHECKING

from refuseu import artifacts, figures, plots
from refuseu.script import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    params = snakemake.params
    metrics = artifacts.read_metrics(snakemake.input.metrics)
    runs = artifacts.runs(params.models, artifacts.is_open)
    data = artifacts.cells(metrics, runs, params.languages, benchmark="refuseu_test", metric="asr")
    with plots.style(**params.figures) as width:
        plots.save(figures.heatmap(data, width, digits=1, limit=100), data, snakemake.output)
