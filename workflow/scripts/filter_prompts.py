"""Keeps distinct prompts in the right language that the guards call unsafe."""

from pathlib import Path

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.dataset.filters import funnel, keep_prompts
    from refuseu.joins import joined
    from refuseu.records import read_jsonl, write_jsonl

    i, o, p = snakemake.input, snakemake.output, snakemake.params
    prompts = read_jsonl(i.prompts)
    before = [prompt for path in i.before for prompt in read_jsonl(path)]
    labels = {}
    for path in i.labels:
        said = [row for row in read_jsonl(path) if row["generator"] == p.generator]
        labels[Path(path).stem] = {row["prompt_id"]: row["label"] for row in joined(prompts, said, path)}
    kept, steps = keep_prompts(prompts, labels, p.policy, p.near_duplicates, before)
    trimmed = [prompt for prompt in prompts if prompt["trimmed"]]
    write_jsonl(o.prompts, kept)
    write_jsonl(o.funnel, steps + funnel({"trimmed": trimmed}, list(dict.fromkeys(row["language"] for row in steps))))
