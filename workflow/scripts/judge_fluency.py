"""Lets the judge rate fluency and correctness of one model's responses."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.backends.starts import in_one_start
    from refuseu.evaluation.fluency import ratings
    from refuseu.records import write_jsonl

    write_jsonl(snakemake.output[0], in_one_start(snakemake, ratings))
