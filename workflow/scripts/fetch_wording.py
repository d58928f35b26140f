"""Takes the words that a guard was trained with from its publisher's own file."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.job.environment import asked_offline
    from refuseu.records import write_text
    from refuseu.wording import wording

    write_text(snakemake.output[0], wording(snakemake.params.pin, asked_offline()))
