"""Selects the pairs that a variant trains on."""

from typing import TYPE_CHECKING

from refuseu.dataset.pairs import select
from refuseu.job.start import script
from refuseu.records import read_jsonl, write_jsonl

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    pairs = read_jsonl(snakemake.input[0])
    write_jsonl(snakemake.output[0], select(pairs, snakemake.params.languages, snakemake.wildcards.model))
