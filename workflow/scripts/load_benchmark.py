"""Reads a benchmark into one record per prompt."""

from typing import TYPE_CHECKING

from refuseu.assets import located
from refuseu.evaluation.benchmarks import load
from refuseu.job.start import script
from refuseu.records import write_jsonl

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    benchmark, path = dict(snakemake.params.benchmark), snakemake.input[0]
    folder = benchmark.pop("path") or (located(path) if path.endswith(".json") else path)
    write_jsonl(snakemake.output[0], load(**benchmark, path=folder))
