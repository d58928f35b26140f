"""Every measure of a variant over its training seeds, where it has several."""

from pathlib import Path

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.analysis.metrics import measure_over_seeds, read_items, write_csv

    params = snakemake.params
    runs = {Path(path).parent.name: read_items(path) for path in snakemake.input.answers}
    write_csv(snakemake.output.csv, measure_over_seeds(runs, params.models, params.languages, params.confidence))
