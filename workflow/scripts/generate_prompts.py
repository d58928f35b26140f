"""Lets a generator write the prompts of a phase and identifies their language."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.backends.completion import Decoding
    from refuseu.backends.journaled import complete
    from refuseu.dataset.requests import requests
    from refuseu.job.paths import journal_path
    from refuseu.language_id import identifier
    from refuseu.records import read_jsonl, write_jsonl

    p, output = snakemake.params, snakemake.output[0]
    wanted = requests(read_jsonl(snakemake.input.seeds), p.languages, **p.size)
    messages = [[{"role": "user", "content": request.pop("message")}] for request in wanted]
    seeds = [request["seed"] for request in wanted]
    decoding = Decoding(**p.sampling)
    model, batch_size = p.model | p.how, p.how["batch_size"]
    completions = complete(model, None, messages, decoding, journal_path(output), batch_size, seeds)
    texts = [completion.text.strip() for completion in completions]
    found = identifier(p.identification, p.languages, *snakemake.input.identifier).identify(texts)
    generator = {"generator": snakemake.wildcards.generator}
    write_jsonl(
        output,
        (
            row | generator | {"prompt": text, "detected": code}
            for row, text, code in zip(wanted, texts, found, strict=True)
        ),
    )
