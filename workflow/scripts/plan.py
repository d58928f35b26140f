"""Writes what the study would still cost, as CSV and as a page."""

from pathlib import Path
from typing import TYPE_CHECKING

from refuseu.costs.plan import COLUMNS, Plan, page
from refuseu.costs.spending import as_csv
from refuseu.job.start import script
from refuseu.records import write_text
from refuseu.study.study import Study

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    o, p = snakemake.output, snakemake.params
    plan = Plan(Study(p.config), Path(snakemake.input.prices).parent)
    write_text(o.csv, as_csv(plan.table(), COLUMNS))
    write_text(o.md, page(plan, p.asked))
