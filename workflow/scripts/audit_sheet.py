"""Draws what annotators audit: per language a sheet as CSV and as HTML form, and one key to all of them."""

from pathlib import Path

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.audit import sheet
    from refuseu.records import read_jsonl, write_jsonl, write_text

    given, output, p = snakemake.input, snakemake.output, snakemake.params
    train, test = read_jsonl(given.train), read_jsonl(given.test)
    pairs = [row for row in train + test if "chosen" in row]
    responses = {
        (Path(path).parent.name, Path(path).stem): {row["prompt_id"]: row for row in read_jsonl(path)}
        for path in given.responses
    }
    seeds = [seed for path in given.seeds for seed in read_jsonl(path)]
    key = []
    for code, csv, html in zip(p.languages, output.csv, output.html, strict=True):
        names = {(seed["kind"], seed["key"]): seed["text"] for seed in seeds if seed["language"] == code}
        items = sheet.sample(pairs, test, responses, names, code, p.per_language, p.seed)
        write_text(csv, sheet.as_csv(p.study, items))
        write_text(html, sheet.as_html(given.template, p.study, code, items))
        key += sheet.key(items)
    write_jsonl(output.key, key)
