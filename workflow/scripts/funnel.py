"""Counts, per language, what is left after each step of the dataset."""

from typing import TYPE_CHECKING

import pandas as pd

from refuseu.dataset.filters import funnel, halves
from refuseu.job.start import script
from refuseu.records import atomic, read_jsonl

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    i, languages = snakemake.input, list(snakemake.params.languages)
    steps = halves(read_jsonl(i.pairs), read_jsonl(i.train), read_jsonl(i.test))
    counts = pd.DataFrame(read_jsonl(i.prompts) + funnel(steps, languages)).set_index("language").loc[languages]
    with atomic(snakemake.output[0]) as path:
        counts.to_csv(path, lineterminator="\n")
