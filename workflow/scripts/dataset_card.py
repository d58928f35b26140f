"""Writes the built dataset in the released layout, with a dataset card."""

from pathlib import Path

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    import pandas as pd

    from refuseu.dataset.card import write_card, write_data
    from refuseu.records import read_jsonl

    i, facts, card = snakemake.input, snakemake.params.facts, Path(snakemake.output.card)
    train, test = read_jsonl(i.train), read_jsonl(i.test)
    write_data(card.parent, train, test, facts["languages"])
    funnel = pd.read_csv(i.funnel, keep_default_na=False).to_dict("records")
    write_card(card, i.template, train, test, funnel, i.licences, facts)
