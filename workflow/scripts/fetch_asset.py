"""Downloads one pinned asset from the hub into its cache and notes where it is."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.assets import fetch
    from refuseu.job.environment import asked_offline

    fetch(snakemake.params.kind, snakemake.params.asset, snakemake.output[0], asked_offline())
