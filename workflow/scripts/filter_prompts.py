"""Keeps distinct prompts in the right language that the guards call unsafe."""

from pathlib import Path

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.dataset.filters import keep_prompts
    from refuseu.joins import joined
    from refuseu.records import read_jsonl, write_jsonl

    prompts = [prompt for path in snakemake.input.prompts for prompt in read_jsonl(path)]
    labels = {
        Path(path).stem: {row["prompt_id"]: row["label"] for row in joined(prompts, read_jsonl(path), path)}
        for path in snakemake.input.labels
    }
    kept, funnel = keep_prompts(prompts, labels, snakemake.params.policy, snakemake.params.near_duplicates)
    write_jsonl(snakemake.output.prompts, kept)
    write_jsonl(snakemake.output.funnel, funnel)
