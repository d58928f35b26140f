"""The one tidy table of the study: all models' measures, one below the other."""

from typing import TYPE_CHECKING

import pandas as pd

from refuseu import metrics
from refuseu.script import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    rows = pd.concat([pd.read_csv(path, dtype=str, keep_default_na=False) for path in snakemake.input.measures])
    metrics.write_csv(snakemake.output.csv, rows)
