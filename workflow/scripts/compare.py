"""Every aligned run of a base against the base and the balanced run on a benchmark, prompt by prompt."""

from pathlib import Path

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.analysis.comparisons import compare
    from refuseu.analysis.metrics import read_items, write_csv

    params = snakemake.params
    runs = {Path(path).parent.name: read_items(path) for path in snakemake.input.answers}
    rows = compare(runs, params.models, params.languages, **params.statistics)
    write_csv(snakemake.output.csv, rows)
