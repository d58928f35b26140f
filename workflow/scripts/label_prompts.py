"""Lets one judge label the prompts of a phase."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.evaluation.judging import label
    from refuseu.job.paths import journal_path
    from refuseu.records import read_jsonl, write_jsonl
    from refuseu.templates import read_templates

    p, output = snakemake.params, snakemake.output[0]
    prompts = [prompt for path in snakemake.input.prompts for prompt in read_jsonl(path)]
    items = [(prompt["prompt"], None) for prompt in prompts]
    journal = journal_path(output, p.phase_apart)
    labels = label(p.judge | p.how, items, read_templates(p.templates), journal, p.how["batch_size"])
    keep = ("prompt_id", "language", "generator", "category")
    write_jsonl(output, ({k: row[k] for k in keep} | said for row, said in zip(prompts, labels, strict=True)))
