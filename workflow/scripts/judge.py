"""Lets one guard label one model's responses to one benchmark."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.backends.starts import in_one_start
    from refuseu.evaluation.judging import labels
    from refuseu.records import write_jsonl

    write_jsonl(snakemake.output[0], in_one_start(snakemake, labels))
