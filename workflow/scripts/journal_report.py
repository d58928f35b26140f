"""Writes what the journals of the study hold and how they were used, as CSV and as a page."""

from pathlib import Path
from typing import TYPE_CHECKING

from refuseu import ledger
from refuseu.records import write_text
from refuseu.script import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    o, p = snakemake.output, snakemake.params
    journals = Path(o.csv).parents[1] / "journal"
    rows = ledger.report(journals, p.models, ledger.Prices(snakemake.input.prices))
    write_text(o.csv, ledger.as_csv(rows, ledger.COLUMNS))
    write_text(o.md, ledger.page(p.study, rows, p.asked))
