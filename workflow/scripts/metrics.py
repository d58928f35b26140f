"""The one tidy table of the study: all models' measures, one below the other."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.analysis import metrics

    given = snakemake.input
    metrics.write_csv(snakemake.output.csv, metrics.join_csv([*given.measures, *given.over_seeds]))
