"""Downloads the files of a benchmark that is pinned by SHA-256."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.downloads import download
    from refuseu.job.environment import asked_offline

    params = snakemake.params
    download(params.url, params.files, snakemake.output[0], asked_offline())
