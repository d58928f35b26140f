"""Downloads the files of a benchmark that is pinned by SHA-256."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.assets import download_files
    from refuseu.job.environment import asked_offline

    download_files(**snakemake.params.pinned, folder=snakemake.output[0], offline=asked_offline())
