"""Translates prompts of pairs for the consistency loss."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.dataset.pairs import select
    from refuseu.dataset.prompt_translations import translate_prompts
    from refuseu.dataset.translation import Journaled
    from refuseu.job.paths import translations_path
    from refuseu.records import read_jsonl, write_jsonl

    p = snakemake.params
    sources, targets = p.route
    with_journal = Journaled(p.translation, translations_path(snakemake.output[0]))
    pairs = select(read_jsonl(snakemake.input.pairs), sources, snakemake.wildcards.route)
    write_jsonl(snakemake.output[0], translate_prompts(pairs, targets, with_journal))
