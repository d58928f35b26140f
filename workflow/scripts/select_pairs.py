"""Selects the pairs that a variant trains on."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.dataset.pairs import select
    from refuseu.records import read_jsonl, write_jsonl

    pairs = read_jsonl(snakemake.input[0])
    write_jsonl(snakemake.output[0], select(pairs, snakemake.params.languages, snakemake.wildcards.model))
