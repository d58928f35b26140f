"""On how many answers the guards differ, so that the adjudicator decides."""

from typing import TYPE_CHECKING

from refuseu.artifacts import frames, tables
from refuseu.evaluation.guards import coverage
from refuseu.job.start import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    params = snakemake.params
    metrics = frames.read_metrics(*snakemake.input.measures)
    cells = frames.cells(metrics, frames.runs(params.models), params.languages, metric="disagreement_rate")
    tables.by_language(
        snakemake.output,
        cells,
        text=tables.with_published(cells, digits=1),
        title="Answers to RefusEU-test on which the guards differ [%]",
        note=f"There the adjudicator decides. {coverage(params.guards)}"
        + tables.SEEDS
        + "The paper has no such table.",
    )
