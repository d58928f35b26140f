"""Lets the adjudicator decide a sample of the disputes twice: shown the response alone, and shown the prompt too."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.evaluation.judging import both_ways
    from refuseu.job.paths import journal_path
    from refuseu.records import read_jsonl, write_jsonl
    from refuseu.templates import read_templates

    p, output, given = snakemake.params, snakemake.output[0], snakemake.input
    labels = {guard: read_jsonl(path) for guard, path in zip(p.guards, given.labels, strict=True)}
    responses, templates = read_jsonl(given.responses), read_templates(p.templates)
    found = both_ways(responses, labels, p.adjudicator | p.how, templates, journal_path(output), p.sample, p.seed)
    write_jsonl(output, found)
