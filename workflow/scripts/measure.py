"""Every measure of one model with its interval, as rows of metrics.csv."""

from typing import TYPE_CHECKING

from refuseu import metrics
from refuseu.script import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    given, params = snakemake.input, snakemake.params
    items = metrics.read_items(given.verdicts, given.outcomes, given.fluency, given.knowledge)
    rows = metrics.measure(params.labels, items, params.languages, **params.statistics)
    metrics.write_csv(snakemake.output.csv, rows)
