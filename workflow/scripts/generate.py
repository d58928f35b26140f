"""Lets one model answer one benchmark, all languages in one job."""

from pathlib import Path

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.backends.completion import Decoding
    from refuseu.backends.journaled import complete, uncut
    from refuseu.job.paths import journal_path
    from refuseu.records import read_jsonl, write_jsonl

    p, output = snakemake.params, snakemake.output[0]
    prompts = read_jsonl(snakemake.input.prompts)
    chat = p.answer["mode"] == "chat"
    conversations = [[{"role": "user", "content": row["prompt"]}] if chat else row["prompt"] for row in prompts]
    model, decoding = p.model | p.how, Decoding(**p.decoding, max_new_tokens=p.answer["max_new_tokens"])
    adapter = Path(snakemake.input.weights[-1]).parent if p.model["adapter"] else None
    if chat:  # a model that reasons may be cut before it answers
        more, journal = p.answer["reasoning_tokens"], journal_path(output)
        completions = uncut(model, conversations, decoding, more, journal, p.how["batch_size"], adapter, blank=True)
    else:
        completions = complete(model, adapter, conversations, decoding, journal_path(output), p.how["batch_size"])
    keep = ("prompt_id", "language", "category", "style", "slot", "prompt")
    write_jsonl(
        output,
        (
            {k: row[k] for k in keep}
            | {"response": c.text.strip(), "finish_reason": c.finish_reason}
            | {"prompt_tokens": c.prompt_tokens, "completion_tokens": c.completion_tokens}
            for row, c in zip(prompts, completions, strict=True)
        ),
    )
