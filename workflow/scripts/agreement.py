"""How far the prompt judges agree, per language and pair of judges."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.analysis import metrics

    labels = metrics.read_labels(snakemake.input.labels)
    rows = metrics.agreement(labels, snakemake.params.languages, **snakemake.params.statistics)
    metrics.write_csv(snakemake.output.csv, rows)
