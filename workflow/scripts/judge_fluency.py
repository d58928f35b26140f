"""Lets the judge rate fluency and correctness of one model's responses."""

from typing import Any

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.backends.starts import in_one_start
    from refuseu.records import write_jsonl

    write_jsonl(snakemake.output[0], in_one_start(snakemake, ratings))


def ratings(job: Any) -> list[Any]:
    """The ratings of the responses of a job."""
    from refuseu.evaluation.fluency import rate
    from refuseu.job.paths import journal_path
    from refuseu.records import read_jsonl
    from refuseu.templates import read_templates

    p, responses, journal = job.params, read_jsonl(job.input.responses), journal_path(job.output[0])
    judge, templates = p.judge | p.how, read_templates(p.templates)
    return rate(responses, judge, templates, p.max_new_tokens, journal, p.how["batch_size"])
