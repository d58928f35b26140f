"""Figure: English-only alignment with the consistency loss against balanced alignment."""

from typing import TYPE_CHECKING

import pandas as pd

from refuseu.artifacts import figures, plots
from refuseu.job.start import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    data = pd.read_csv(snakemake.input.table, keep_default_na=False, na_values="", dtype={"base": str})
    with plots.style(**snakemake.params.figures) as width:
        plots.save(figures.reached(data, width), data, snakemake.output)
