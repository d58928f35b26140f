"""Translates the seeds into every language of the study."""

from pathlib import Path

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.dataset.seeds import read_seeds, translate_seeds
    from refuseu.dataset.translation import Journaled
    from refuseu.job.paths import translations_path
    from refuseu.records import write_jsonl

    i, p = snakemake.input, snakemake.params
    seeds = read_seeds(Path(i.seeds[0]).parent, p.seed_language, i.instructions or None)
    with_journal = Journaled(p.translation, translations_path(snakemake.output[0]))
    write_jsonl(snakemake.output[0], translate_seeds(seeds, p.languages, with_journal))
