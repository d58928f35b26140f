"""Reads the released dataset: train pairs and evaluation prompts of the study's languages."""

from typing import TYPE_CHECKING

from refuseu.assets import located
from refuseu.records import write_jsonl
from refuseu.released import read
from refuseu.script import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    train, test = read(located(snakemake.input[0]), snakemake.params.languages)
    write_jsonl(snakemake.output.train, train)
    write_jsonl(snakemake.output.test, test)
