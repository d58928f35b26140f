"""Lets the judge rate fluency and correctness of one model's responses."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.evaluation.fluency import rate
    from refuseu.job.paths import journal_path
    from refuseu.records import read_jsonl, write_jsonl
    from refuseu.templates import read_templates

    p, output = snakemake.params, snakemake.output[0]
    responses = read_jsonl(snakemake.input.responses)
    judge, templates = p.judge | p.how, read_templates(p.templates)
    write_jsonl(output, rate(responses, judge, templates, p.max_new_tokens, journal_path(output), p.how["batch_size"]))
