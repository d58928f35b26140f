"""Table 2: runs trained on one language, evaluated on every language."""

from typing import TYPE_CHECKING

from refuseu.artifacts import frames, tables
from refuseu.job.start import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    params = snakemake.params
    metrics = frames.read_metrics(*snakemake.input.measures)
    runs = frames.transfer_runs(params.models, params.trained_on, params.languages)
    cells = frames.cells(metrics, runs, params.languages, metric="asr")
    tables.write(
        snakemake.output,
        cells,
        tables.with_published(cells, digits=1),
        rows=["base", "variant"],
        columns=["language"],
        title="Transfer: ASR [%] on RefusEU-test of runs trained on one language",
        note="Rows: training language; first the abliterated base. " + tables.SEEDS + tables.NOT_RECOVERED,
    )
