"""Lets one guard label one model's responses to one benchmark."""

from typing import Any

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.backends.starts import in_one_start
    from refuseu.records import write_jsonl

    write_jsonl(snakemake.output[0], in_one_start(snakemake, labels))


def labels(job: Any) -> list[dict[str, Any]]:
    """What the guard says of the responses of a job."""
    from refuseu.evaluation.judging import label_responses
    from refuseu.job.paths import journal_path
    from refuseu.records import read_jsonl
    from refuseu.templates import read_templates

    p, responses, journal = job.params, read_jsonl(job.input.responses), journal_path(job.output[0])
    said = label_responses(p.judge | p.how, responses, read_templates(p.templates), journal, p.how["batch_size"])
    return [{k: row[k] for k in ("prompt_id", "language")} | one for row, one in zip(responses, said, strict=True)]
