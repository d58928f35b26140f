"""Identifies the language of all prompts, and counts what was found for prompts and answers."""

from typing import TYPE_CHECKING

from refuseu.analysis.confusion import confusion
from refuseu.analysis.metrics import write_csv
from refuseu.job.start import script
from refuseu.language_id import identifier
from refuseu.records import read_jsonl

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    i, p = snakemake.input, snakemake.params
    prompts = [row for path in i.prompts for row in read_jsonl(path)]
    found = identifier(p.identification, p.languages, *i.identifier).identify([row["prompt"] for row in prompts])
    pairs = {
        "prompts": zip((row["language"] for row in prompts), found, strict=True),
        "answers": ((row["language"], row["detected"]) for path in i.answers for row in read_jsonl(path)),
    }
    write_csv(snakemake.output.csv, confusion(pairs))
