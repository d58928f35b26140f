"""Makes the folder of a model from what was fetched: safetensors, chat template, the pieces that are needed."""

from pathlib import Path

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.intake.folder import prepare
    from refuseu.packaged import folder_behind

    i = snakemake.input
    source, template = folder_behind(i.source[0]), [*i.chat_template, None][0]
    prepare(source, Path(snakemake.output[0]).parent, snakemake.params.wanted, template, i.texts)
