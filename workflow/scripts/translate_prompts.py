"""Translates the prompts of a variant's pairs for the consistency loss."""

from typing import TYPE_CHECKING

from refuseu.journal import journal_path
from refuseu.prompts import translate_prompts
from refuseu.records import read_jsonl, write_jsonl
from refuseu.script import script
from refuseu.translate import Journaled

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    p = snakemake.params
    with_journal = Journaled(p.translation, journal_path(snakemake.output[0]))
    write_jsonl(snakemake.output[0], translate_prompts(read_jsonl(snakemake.input.pairs), p.languages, with_journal))
