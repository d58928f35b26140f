"""Pairs chosen and rejected answers that pass the filters."""

from pathlib import Path

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.dataset.filters import funnel
    from refuseu.dataset.pairs import answer_steps, build_pairs
    from refuseu.joins import joined
    from refuseu.records import read_jsonl, write_jsonl

    i, p = snakemake.input, snakemake.params
    prompts = read_jsonl(i.prompts)
    chosen, rejected = (joined(prompts, read_jsonl(path), path) for path in (i.chosen, i.rejected))
    labels = {
        (Path(path).parent.name, Path(path).stem): {
            row["prompt_id"]: row["label"] for row in joined(prompts, read_jsonl(path), path)
        }
        for path in i.labels
    }
    steps = answer_steps(prompts, chosen, rejected, labels, p.guards, p.policies)
    languages = list(dict.fromkeys(prompt["language"] for prompt in prompts))
    write_jsonl(snakemake.output.pairs, build_pairs(steps["rejected_unsafe"], chosen, rejected))
    write_jsonl(snakemake.output.funnel, funnel(steps, languages))
