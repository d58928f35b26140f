"""Table 16: ASR of the open models on RefusEU-test."""

from typing import TYPE_CHECKING

from refuseu.artifacts import frames, tables
from refuseu.job.start import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    params = snakemake.params
    metrics = frames.read_metrics(*snakemake.input.measures)
    runs = frames.runs(params.models)
    cells = frames.cells(metrics, runs, params.languages, metric="asr")
    tables.by_language(
        snakemake.output,
        cells,
        title="ASR [%] of open models on RefusEU-test",
        note=tables.SEEDS + tables.NOT_RECOVERED,
    )
