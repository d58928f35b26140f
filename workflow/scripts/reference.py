"""Computes the reference log-probabilities of all pairs under one base, once."""

import tempfile

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.job.launch import launch
    from refuseu.job.paths import journal_path
    from refuseu.records import read_jsonl
    from refuseu.training.logprobs import write_reference
    from refuseu.training.reference import reference

    i, p, output = snakemake.input, snakemake.params, snakemake.output[0]
    with tempfile.TemporaryDirectory() as folder:
        pairs, journal = read_jsonl(i.pairs), journal_path(output)
        found = launch(reference, p.how["accelerate"], pairs, p.base, p.settings, journal, folder)
    write_reference(output, *found)
