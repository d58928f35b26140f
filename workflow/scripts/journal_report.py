"""Writes what the journals of the study hold and how they were used, as CSV and as a page."""

from pathlib import Path

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.costs import spending
    from refuseu.records import write_text

    o, p = snakemake.output, snakemake.params
    journals = Path(o.csv).parents[1] / "journal"
    rows = spending.report(journals, p.models, spending.Prices(snakemake.input.prices))
    write_text(o.csv, spending.as_csv(rows, spending.COLUMNS))
    write_text(o.md, spending.page(p.study, rows, p.asked))
