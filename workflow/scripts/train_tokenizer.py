"""Trains the miniature's byte-level BPE tokenizer on the bundled texts."""

from pathlib import Path
from typing import TYPE_CHECKING

from refuseu.job.start import script
from refuseu.miniature.models import train_tokenizer
from refuseu.miniature.world import World
from refuseu.templates import read_templates

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    p, output = snakemake.params, Path(snakemake.output[0])
    chat_template = Path(snakemake.input.template).read_text(encoding="utf-8")
    texts = World(Path(snakemake.input.corpus[0]).parent, p.languages).everything(read_templates(p.templates))
    train_tokenizer(texts, p.vocabulary, chat_template).save_pretrained(output.parent)
