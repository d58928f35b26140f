"""Table 16: ASR of the open models on RefusEU-test."""

from typing import TYPE_CHECKING

from refuseu import artifacts, tables
from refuseu.script import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    params = snakemake.params
    metrics = artifacts.read_metrics(*snakemake.input.measures)
    runs = artifacts.runs(params.models)
    cells = artifacts.cells(metrics, runs, params.languages, metric="asr")
    tables.by_language(
        snakemake.output,
        cells,
        title="ASR [%] of open models on RefusEU-test",
        note=tables.SEEDS + tables.NOT_RECOVERED,
    )
