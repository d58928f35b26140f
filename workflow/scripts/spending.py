"""Writes what the journals of the study hold by now, for the report."""

import json
from pathlib import Path

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.costs import spending
    from refuseu.records import write_text

    output = snakemake.output[0]
    prices = spending.Prices(snakemake.input.prices)
    rows = spending.report(Path(output).parents[1] / "journal", snakemake.params.models, prices)
    write_text(output, json.dumps(rows, indent=1) + "\n")
