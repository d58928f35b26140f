"""ASR corrected for the error of the judges, by what people said of a sample."""

from typing import TYPE_CHECKING

from refuseu.analysis import judge_error, metrics
from refuseu.artifacts import tables
from refuseu.job.start import script
from refuseu.records import read_jsonl

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    given, params = snakemake.input, snakemake.params
    cells = judge_error.cells(
        [metrics.read_items(path) for path in given.answers],
        params.models,
        [row for path in given.verdicts for row in read_jsonl(path)],
        params.languages,
        **params.statistics,
    )
    tables.write(
        snakemake.output,
        cells,
        judge_error.texts(cells),
        rows=["language"],
        columns=["model", "method"],
        averages=[*params.languages, "all"],
        title="ASR [%] on RefusEU-test, corrected for the error of the judges",
        note=judge_error.note(cells),
    )
