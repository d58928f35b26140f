"""Trains the miniature's byte-level BPE tokenizer on the bundled texts."""

from pathlib import Path

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.miniature.models import train_tokenizer
    from refuseu.miniature.world import World
    from refuseu.templates import read_templates

    p, output = snakemake.params, Path(snakemake.output[0])
    chat_template = Path(snakemake.input.template).read_text(encoding="utf-8")
    texts = World(Path(snakemake.input.corpus[0]).parent, p.languages).everything(read_templates(p.templates))
    train_tokenizer(texts, p.vocabulary, chat_template).save_pretrained(output.parent)
