"""Lets one model answer one benchmark, all languages in one job."""

from pathlib import Path
from typing import Any

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.backends.starts import in_one_start
    from refuseu.records import write_jsonl

    write_jsonl(snakemake.output[0], in_one_start(snakemake, answers))


def answers(job: Any) -> list[dict[str, Any]]:
    """The responses of a job, with what was asked."""
    from refuseu.backends.completion import Decoding
    from refuseu.backends.journaled import complete, uncut
    from refuseu.job.paths import journal_path
    from refuseu.records import read_jsonl

    p, journal, prompts = job.params, journal_path(job.output[0]), read_jsonl(job.input.prompts)
    chat = p.answer["mode"] == "chat"
    conversations = [[{"role": "user", "content": row["prompt"]}] if chat else row["prompt"] for row in prompts]
    model, decoding = p.model | p.how, Decoding(**p.decoding, max_new_tokens=p.answer["max_new_tokens"])
    adapter, size = Path(job.input.weights[-1]).parent if p.model["adapter"] else None, p.how["batch_size"]
    if chat:  # a model that reasons may be cut before it answers
        longer = p.answer["reasoning_tokens"]
        said = uncut(model, conversations, decoding, longer, journal, size, adapter, blank=True)
    else:
        said = complete(model, adapter, conversations, decoding, journal, size)
    keep = ("prompt_id", "language", "category", "style", "slot", "prompt")
    return [
        {k: row[k] for k in keep} | {"response": c.text.strip(), "finish_reason": c.finish_reason}
        | {"prompt_tokens": c.prompt_tokens, "completion_tokens": c.completion_tokens}
        for row, c in zip(prompts, said, strict=True)
    ]  # fmt: skip
