"""Lets one guard label one model's responses to one benchmark."""

from typing import TYPE_CHECKING

from refuseu.evaluation.judging import label
from refuseu.job.journal import journal_path
from refuseu.job.start import script
from refuseu.records import read_jsonl, write_jsonl
from refuseu.templates import read_templates

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    p, output = snakemake.params, snakemake.output[0]
    responses = read_jsonl(snakemake.input.responses)
    items = [(row["prompt"], row["response"]) for row in responses]
    labels = label(p.judge | p.how, items, read_templates(p.templates), journal_path(output), p.how["batch_size"])
    keep = ("prompt_id", "language")
    write_jsonl(output, ({k: row[k] for k in keep} | said for row, said in zip(responses, labels, strict=True)))
