"""Counts, per language, what is left after each step of the dataset."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    import pandas as pd

    from refuseu.dataset.filters import funnel, halves
    from refuseu.records import atomic, read_jsonl

    i, languages = snakemake.input, list(snakemake.params.languages)
    steps = halves(read_jsonl(i.pairs), read_jsonl(i.train), read_jsonl(i.test))
    counts = pd.DataFrame(read_jsonl(i.prompts) + funnel(steps, languages)).set_index("language").loc[languages]
    with atomic(snakemake.output[0]) as path:
        counts.to_csv(path, lineterminator="\n")
