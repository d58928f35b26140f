"""What a model under evaluation is asked, and its responses."""

from pathlib import Path
from typing import Any

from refuseu.backends.completion import Conversation, Decoding
from refuseu.backends.journaled import complete, uncut
from refuseu.job.paths import journal_path
from refuseu.records import Record, read_jsonl

KEPT = ("prompt_id", "language", "category", "style", "slot", "prompt")


def answers(job: Any) -> list[Record]:
    """The responses to one benchmark, with what was asked.

    Parameters
    ----------
    job : of rule ``generate``, with its input, output and params
    """
    p, journal, prompts = job.params, journal_path(job.output[0]), read_jsonl(job.input.prompts)
    chat = p.answer["mode"] == "chat"
    asked: list[Conversation] = [
        [{"role": "user", "content": row["prompt"]}] if chat else row["prompt"] for row in prompts
    ]
    model, decoding = p.model | p.how, Decoding(**p.decoding, max_new_tokens=p.answer["max_new_tokens"])
    adapter, size = Path(job.input.weights[-1]).parent if p.model["adapter"] else None, p.how["batch_size"]
    if chat:  # a model that reasons may be cut before it answers
        said = uncut(model, asked, decoding, p.answer["reasoning_tokens"], journal, size, adapter, blank=True)
    else:
        said = complete(model, adapter, asked, decoding, journal, size)
    return [
        {k: row[k] for k in KEPT}
        | {"response": c.text.strip(), "finish_reason": c.finish_reason}
        | {"prompt_tokens": c.prompt_tokens, "completion_tokens": c.completion_tokens}
        for row, c in zip(prompts, said, strict=True)
    ]
