"""Writes what the journals of the study hold and how they were used, as CSV and as a page."""

from pathlib import Path
from typing import TYPE_CHECKING

from refuseu.costs import spending
from refuseu.job.start import script
from refuseu.records import write_text

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    o, p = snakemake.output, snakemake.params
    journals = Path(o.csv).parents[1] / "journal"
    rows = spending.report(journals, p.models, spending.Prices(snakemake.input.prices))
    write_text(o.csv, spending.as_csv(rows, spending.COLUMNS))
    write_text(o.md, spending.page(p.study, rows, p.asked))
