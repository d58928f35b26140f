"""Translates prompts of pairs for the consistency loss."""

from typing import TYPE_CHECKING

from refuseu.journal import journal_path
from refuseu.pairs import select
from refuseu.prompts import translate_prompts
from refuseu.records import read_jsonl, write_jsonl
from refuseu.script import script
from refuseu.translate import Journaled

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    p = snakemake.params
    sources, targets = p.route
    with_journal = Journaled(p.translation, journal_path(snakemake.output[0]))
    pairs = select(read_jsonl(snakemake.input.pairs), sources, snakemake.wildcards.route)
    write_jsonl(snakemake.output[0], translate_prompts(pairs, targets, with_journal))
