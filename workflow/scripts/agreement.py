"""How far the prompt judges agree, per language and pair of judges."""

from typing import TYPE_CHECKING

from refuseu.analysis import metrics
from refuseu.job.start import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    labels = metrics.read_labels(snakemake.input.labels)
    rows = metrics.agreement(labels, snakemake.params.languages, **snakemake.params.statistics)
    metrics.write_csv(snakemake.output.csv, rows)
