"""Pairs chosen and rejected answers that pass the filters."""

from pathlib import Path
from typing import TYPE_CHECKING

from refuseu.dataset.pairs import build_pairs
from refuseu.job.start import script
from refuseu.records import read_jsonl, write_jsonl

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    labels = {
        (Path(path).parent.name, Path(path).stem): {row["prompt_id"]: row["label"] for row in read_jsonl(path)}
        for path in snakemake.input.labels
    }
    prompts, chosen, rejected = (read_jsonl(snakemake.input[name]) for name in ("prompts", "chosen", "rejected"))
    p = snakemake.params
    write_jsonl(snakemake.output[0], build_pairs(prompts, chosen, rejected, labels, p.guards, p.policies))
