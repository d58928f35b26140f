"""Scores one model on Global MMLU with lm-eval."""

from pathlib import Path

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.evaluation.knowledge import score
    from refuseu.job.paths import journal_path
    from refuseu.records import read_jsonl, write_jsonl

    p, output = snakemake.params, snakemake.output[0]
    adapter = Path(snakemake.input.weights[-1]).parent if p.model["adapter"] else None
    questions, settings = read_jsonl(snakemake.input.questions), p.settings | {"batch_size": p.how["batch_size"]}
    write_jsonl(output, score(questions, p.model, adapter, **settings, journal=journal_path(output)))
