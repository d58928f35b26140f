"""Splits the pairs by slot into train pairs and a balanced test set."""

from typing import TYPE_CHECKING

from refuseu.pairs import split
from refuseu.records import read_jsonl, write_jsonl
from refuseu.script import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    train, test = split(read_jsonl(snakemake.input.pairs), **snakemake.params.split)
    write_jsonl(snakemake.output.train, train)
    write_jsonl(snakemake.output.test, test)
