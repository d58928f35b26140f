"""Lets one model answer one benchmark, all languages in one job."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.backends.starts import in_one_start
    from refuseu.evaluation.answering import answers
    from refuseu.records import write_jsonl

    write_jsonl(snakemake.output[0], in_one_start(snakemake, answers))
