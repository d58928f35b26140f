"""Computes the reference log-probabilities of all pairs under one base, once."""

import tempfile
from typing import TYPE_CHECKING

from refuseu.records import atomic, read_jsonl
from refuseu.script import script
from refuseu.training import reference

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    pairs = read_jsonl(snakemake.input.pairs)
    with tempfile.TemporaryDirectory() as folder, atomic(snakemake.output[0]) as path:
        reference(pairs, snakemake.params.base, snakemake.params.settings, folder).to_parquet(path)
