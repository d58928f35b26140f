"""Computes the reference log-probabilities of all pairs under one base, once."""

import tempfile
from typing import TYPE_CHECKING

from refuseu.journal import journal_path
from refuseu.launch import launch
from refuseu.logprobs import write_reference
from refuseu.records import read_jsonl
from refuseu.reference import reference
from refuseu.script import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    i, p, output = snakemake.input, snakemake.params, snakemake.output[0]
    with tempfile.TemporaryDirectory() as folder:
        pairs, journal = read_jsonl(i.pairs), journal_path(output)
        found = launch(reference, p.how["accelerate"], pairs, p.base, p.settings, journal, folder)
    write_reference(output, *found)
