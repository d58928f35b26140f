"""Makes the folder of a model from what was fetched: safetensors, chat template, the pieces that are needed."""

from pathlib import Path

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.assets import located
    from refuseu.intake.folder import prepare

    i, wanted = snakemake.input, snakemake.params.wanted
    [source], template = i.source, [*i.chat_template, None][0]
    if source.endswith(".json"):
        source = str(Path(source).parent) if source.endswith("/config.json") else located(source)
    prepare(source, Path(snakemake.output[0]).parent, wanted, template, i.texts)
