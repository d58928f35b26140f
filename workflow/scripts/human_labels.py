"""Downloads answers that people judged, checks their digest, and writes them in the form of other answers."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.assets import download
    from refuseu.evaluation.human_labels import read_human_labels
    from refuseu.job.environment import asked_offline
    from refuseu.records import write_jsonl

    records = []
    for file in snakemake.params.files:
        content = download(file["source"], file["sha256"], asked_offline())
        records += read_human_labels(file["name"], content)
    write_jsonl(snakemake.output[0], records)
