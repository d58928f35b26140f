"""Translates the seeds into every language of the study."""

from pathlib import Path
from typing import TYPE_CHECKING

from refuseu.journal import journal_path
from refuseu.prompts import read_seeds, translate_seeds
from refuseu.records import write_jsonl
from refuseu.script import script
from refuseu.translate import Journaled

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    p = snakemake.params
    seeds = read_seeds(Path(snakemake.input.seeds[0]).parent, p.seed_language)
    with_journal = Journaled(p.translation, journal_path(snakemake.output[0]))
    write_jsonl(snakemake.output[0], translate_seeds(seeds, p.languages, with_journal))
