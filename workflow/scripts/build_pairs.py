"""Pairs chosen and rejected answers that pass the filters."""

from pathlib import Path

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.dataset.pairs import build_pairs
    from refuseu.records import read_jsonl, write_jsonl

    labels = {
        (Path(path).parent.name, Path(path).stem): {row["prompt_id"]: row["label"] for row in read_jsonl(path)}
        for path in snakemake.input.labels
    }
    prompts, chosen, rejected = (read_jsonl(snakemake.input[name]) for name in ("prompts", "chosen", "rejected"))
    p = snakemake.params
    write_jsonl(snakemake.output[0], build_pairs(prompts, chosen, rejected, labels, p.guards, p.policies))
