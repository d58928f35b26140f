"""Every aligned run of a base against the base and the balanced run on a benchmark, prompt by prompt."""

from pathlib import Path

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.analysis import metrics

    params = snakemake.params
    runs = {Path(path).parent.name: metrics.read_items(path) for path in snakemake.input.answers}
    rows = metrics.compare(runs, params.models, params.languages, **params.statistics)
    metrics.write_csv(snakemake.output.csv, rows)
