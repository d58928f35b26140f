"""Counts, per language, what is left after each step of the dataset."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    import pandas as pd

    from refuseu.dataset.filters import added_up, funnel, halves
    from refuseu.records import atomic, read_jsonl

    i, languages = snakemake.input, list(snakemake.params.languages)
    pairs = [pair for path in i.pairs for pair in read_jsonl(path)]
    steps = funnel(halves(pairs, read_jsonl(i.train), read_jsonl(i.test)), languages)
    before = [added_up([read_jsonl(path) for path in paths], languages) for paths in (i.prompts, i.answers)]
    rows = [*before[0], *before[1], *steps]
    ordered = [row for last in (False, True) for row in rows if (row["step"] == "trimmed") == last]  # which is no step
    counts = pd.DataFrame(ordered).set_index("language").loc[languages]
    with atomic(snakemake.output[0]) as path:
        counts.to_csv(path, lineterminator="\n")
