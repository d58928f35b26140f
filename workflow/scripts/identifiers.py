"""Lets every language identifier name the bundled texts, and the prompts and responses of the study."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    import yaml

    from refuseu.analysis.identifiers import identified
    from refuseu.analysis.metrics import write_csv
    from refuseu.language_id import identifiers
    from refuseu.records import read_jsonl

    given, params = snakemake.input, snakemake.params
    texts = {"bundled": [], "prompts": [], "responses": []}
    for path in given.bundled:
        with open(path, encoding="utf-8") as stream:
            own = yaml.safe_load(stream)
        answers = [*own["refusals"], *own["compliances"], *(row["a"] for row in own["benign"])]
        texts["bundled"] += [(own["language"], text) for text in answers]
    for kind, column in (("prompts", "prompt"), ("responses", "response")):
        texts[kind] = [(row["language"], row[column]) for path in given[kind] for row in read_jsonl(path)]
    found = identified(texts, identifiers(params.identification, params.languages, *given.identifier))
    write_csv(snakemake.output.csv, found)
