"""How far the prompt judges agree, per language and pair of judges."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.analysis.agreement import agreement, read_labels
    from refuseu.analysis.metrics import write_csv

    labels = read_labels(snakemake.input.labels)
    rows = agreement(labels, snakemake.params.languages, **snakemake.params.statistics)
    write_csv(snakemake.output.csv, rows)
