"""Counts, per language, what is left after each step of the dataset."""

from typing import TYPE_CHECKING

import pandas as pd

from refuseu.prompts import funnel
from refuseu.records import atomic, read_jsonl
from refuseu.script import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    i = snakemake.input
    steps = {"paired": read_jsonl(i.pairs), "train": read_jsonl(i.train), "test": read_jsonl(i.test)}
    counts = pd.DataFrame(read_jsonl(i.prompts) + funnel(steps))
    with atomic(snakemake.output[0]) as path:
        counts.sort_values("language", kind="stable").to_csv(path, index=False, lineterminator="\n")
