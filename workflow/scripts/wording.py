"""Takes the words that a guard was trained with from its publisher's own file."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.assets import excerpt
    from refuseu.job.environment import asked_offline
    from refuseu.records import write_text

    write_text(snakemake.output[0], excerpt(snakemake.params.pin, asked_offline()))
