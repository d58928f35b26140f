"""Every aligned run against its base and against the balanced run, prompt by prompt."""

from typing import TYPE_CHECKING

from refuseu import metrics
from refuseu.script import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    given, params = snakemake.input, snakemake.params
    runs = metrics.read_runs(given.verdicts, given.outcomes, given.fluency, given.knowledge)
    rows = metrics.compare(runs, params.models, params.languages, **params.statistics)
    metrics.write_csv(snakemake.output.csv, rows)
