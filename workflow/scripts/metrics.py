"""The one tidy table of the study: all models' measures, one below the other."""

from typing import TYPE_CHECKING

from refuseu.analysis import metrics
from refuseu.job.start import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    metrics.write_csv(snakemake.output.csv, metrics.join_csv(snakemake.input.measures))
