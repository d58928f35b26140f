"""Splits the pairs by slot into train pairs and a balanced test set."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.dataset.pairs import split
    from refuseu.records import read_jsonl, write_jsonl

    p, seeds = snakemake.params, read_jsonl(snakemake.input.seeds)
    categories = list(dict.fromkeys(seed["key"] for seed in seeds if seed["kind"] == "category"))
    pairs = [pair for path in snakemake.input.pairs for pair in read_jsonl(path)]
    train, test = split(pairs, p.languages, categories, **p.split)
    write_jsonl(snakemake.output.train, train)
    write_jsonl(snakemake.output.test, test)
