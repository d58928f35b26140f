"""Identifies the language of all prompts, and counts what was found for prompts and answers."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.analysis.confusion import confusion
    from refuseu.analysis.metrics import write_csv
    from refuseu.language_id import identifier
    from refuseu.records import read_jsonl

    i, p = snakemake.input, snakemake.params
    prompts = [row for path in i.prompts for row in read_jsonl(path)]
    found = identifier(p.identification, p.languages, *i.identifier).identify([row["prompt"] for row in prompts])
    texts = {
        "prompts": zip((row["language"] for row in prompts), found, strict=True),
        "answers": ((row["language"], row["detected"]) for path in i.answers for row in read_jsonl(path)),
    }
    write_csv(snakemake.output.csv, confusion(texts))
