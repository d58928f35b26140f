"""Figure 4: ASR against language consistency."""

from typing import TYPE_CHECKING

from refuseu.artifacts import figures, frames, plots
from refuseu.job.start import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    params = snakemake.params
    metrics = frames.read_metrics(*snakemake.input.measures)
    runs = frames.runs(params.models)
    measures = ["asr", "language_consistency"]
    data = frames.side_by_side(metrics, runs, params.languages, measures)
    with plots.style(**params.figures) as width:
        plots.save(figures.safety_and_language(data, width), data, snakemake.output)
