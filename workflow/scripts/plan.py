"""Writes what the study would still cost, as CSV and as a page."""

from pathlib import Path

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.costs.plan import COLUMNS, Plan, page
    from refuseu.costs.spending import as_csv
    from refuseu.records import write_text
    from refuseu.study.study import Study

    o, p = snakemake.output, snakemake.params
    plan = Plan(Study(p.config), Path(snakemake.input.prices).parent)
    write_text(o.csv, as_csv(plan.table(), COLUMNS))
    write_text(o.md, page(plan, p.asked))
