"""Figure 3: ASR on RefusEU-test, runs by languages."""

from typing import TYPE_CHECKING

from refuseu.artifacts import figures, frames, plots
from refuseu.job.start import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    params = snakemake.params
    metrics = frames.read_metrics(*snakemake.input.measures)
    published = frames.read_published([snakemake.input.published], params.models)
    runs = frames.runs(params.models)
    data = frames.cells(metrics, runs, params.languages, published, metric="asr")
    with plots.style(**params.figures) as width:
        plots.save(figures.heatmap(data, width, digits=1, limit=100), data, snakemake.output)
