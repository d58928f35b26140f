"""Lets one judge label the chosen or the rejected answers."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.evaluation.judging import label
    from refuseu.job.paths import journal_path
    from refuseu.records import read_jsonl, write_jsonl
    from refuseu.templates import read_templates

    p, output = snakemake.params, snakemake.output[0]
    answers = read_jsonl(snakemake.input.answers)
    items = [(answer["prompt"], answer["response"]) for answer in answers]
    journal = journal_path(output, snakemake.wildcards.phase)
    labels = label(p.judge | p.how, items, read_templates(p.templates), journal, p.how["batch_size"])
    keep = ("prompt_id", "language")
    write_jsonl(output, ({k: row[k] for k in keep} | said for row, said in zip(answers, labels, strict=True)))
