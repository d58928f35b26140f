"""Writes one answer per prompt: a refusal under instruction (chosen) or plain compliance (rejected)."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.backends.completion import Decoding
    from refuseu.backends.journaled import complete
    from refuseu.dataset.requests import answer_requests
    from refuseu.job.paths import journal_path
    from refuseu.language_id import identifier
    from refuseu.records import read_jsonl, write_jsonl

    p, output, side = snakemake.params, snakemake.output[0], snakemake.wildcards.side
    prompts, seeds = read_jsonl(snakemake.input.prompts), read_jsonl(snakemake.input.seeds)
    messages, drawn = answer_requests(prompts, seeds, side, p.seed)
    decoding = Decoding(**p.decoding)
    model, batch_size = p.model | p.how, p.how["batch_size"]
    journal = journal_path(output, snakemake.wildcards.phase)
    completions = complete(model, None, messages, decoding, journal, batch_size, drawn)
    texts = [completion.text.strip() for completion in completions]
    found = identifier(p.identification, p.languages, *snakemake.input.identifier).identify(texts)
    write_jsonl(
        output,
        (
            {
                "prompt_id": row["prompt_id"],
                "language": row["language"],
                "prompt": row["prompt"],
                "response": text,
                "finish_reason": said.finish_reason,
                "detected": code,
            }
            for row, text, said, code in zip(prompts, texts, completions, found, strict=True)
        ),
    )
