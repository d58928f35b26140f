"""Reads a benchmark into one record per prompt."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.assets import located
    from refuseu.evaluation.benchmarks import load
    from refuseu.records import write_jsonl

    benchmark, path = dict(snakemake.params.benchmark), snakemake.input[0]
    folder = benchmark.pop("path") or (located(path) if path.endswith(".json") else path)
    write_jsonl(snakemake.output[0], load(**benchmark, path=folder))
