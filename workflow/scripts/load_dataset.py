"""Reads the released dataset: train pairs and evaluation prompts of the study's languages."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.assets import located
    from refuseu.dataset.released import read
    from refuseu.records import write_jsonl

    p = snakemake.params
    train, test = read(p.folder or located(snakemake.input[0]), p.languages, p.category_by_row_id)
    write_jsonl(snakemake.output.train, train)
    write_jsonl(snakemake.output.test, test)
