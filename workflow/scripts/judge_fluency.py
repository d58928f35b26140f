"""Lets the judge rate fluency and correctness of one model's responses."""

from typing import TYPE_CHECKING

from refuseu.evaluation.fluency import rate
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
    judge, templates = p.judge | p.how, read_templates(p.templates)
    write_jsonl(output, rate(responses, judge, templates, p.max_new_tokens, journal_path(output), p.how["batch_size"]))
