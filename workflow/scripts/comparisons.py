"""All comparisons of runs in one tidy table."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.analysis import metrics

    metrics.write_csv(snakemake.output.csv, metrics.join_csv(snakemake.input.comparisons))
