"""Keeps distinct prompts in the right language that the guards call unsafe."""

from pathlib import Path
from typing import TYPE_CHECKING

from refuseu.dataset.filters import keep_prompts
from refuseu.job.start import script
from refuseu.records import read_jsonl, write_jsonl

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    labels = {
        Path(path).stem: {row["prompt_id"]: row["label"] for row in read_jsonl(path)} for path in snakemake.input.labels
    }
    prompts = [prompt for path in snakemake.input.prompts for prompt in read_jsonl(path)]
    kept, funnel = keep_prompts(prompts, labels, snakemake.params.policy, snakemake.params.near_duplicates)
    write_jsonl(snakemake.output.prompts, kept)
    write_jsonl(snakemake.output.funnel, funnel)
