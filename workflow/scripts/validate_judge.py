"""Lets one judge label answers that people judged."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.evaluation.judging import label_responses
    from refuseu.job.paths import journal_path
    from refuseu.records import read_jsonl, write_jsonl
    from refuseu.templates import read_templates

    p, output = snakemake.params, snakemake.output[0]
    responses = read_jsonl(snakemake.input.responses)
    judge, templates = p.judge | p.how, read_templates(p.templates)
    labels = label_responses(judge, responses, templates, journal_path(output), p.how["batch_size"], p.sees)
    keep = ("prompt_id", "language")
    write_jsonl(output, ({k: row[k] for k in keep} | said for row, said in zip(responses, labels, strict=True)))
