"""Lets a generator write the prompts of a phase and identifies their language."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.backends.completion import Decoding
    from refuseu.backends.journaled import complete
    from refuseu.dataset.bare import bare
    from refuseu.dataset.requests import needed, requests
    from refuseu.job.paths import journal_path
    from refuseu.language_id import identifier
    from refuseu.records import read_jsonl, write_jsonl

    i, p, output = snakemake.input, snakemake.params, snakemake.output[0]
    texts = read_jsonl(i.seeds)
    wanted = needed(texts, read_jsonl(i.needs[0]), **p.size) if i.needs else requests(texts, p.languages, **p.size)
    messages = [[{"role": "user", "content": request.pop("message")}] for request in wanted]
    seeds = [request["seed"] for request in wanted]
    decoding = Decoding(**p.sampling)
    model, batch_size = p.model | p.how, p.how["batch_size"]
    journal = journal_path(output, p.phase_apart)
    completions = complete(model, None, messages, decoding, journal, batch_size, seeds)
    prompts = [bare(completion.text) for completion in completions]
    found = identifier(p.identification, p.languages, *i.identifier).identify(prompts)
    generator = {"generator": snakemake.wildcards.generator}
    rows = (
        row | generator | {"prompt": prompt, "trimmed": prompt != said.text.strip(),
                           "finish_reason": said.finish_reason, "detected": code}
        for row, prompt, said, code in zip(wanted, prompts, completions, found, strict=True)
    )  # fmt: skip
    write_jsonl(output, rows)
