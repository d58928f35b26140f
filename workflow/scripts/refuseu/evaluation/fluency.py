"""Fluency and linguistic correctness, rated from 1 to 5 by a judge."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from refuseu.asked import Asked
from refuseu.backends.completion import Decoding, final
from refuseu.backends.journaled import uncut
from refuseu.job.paths import journal_path, siblings
from refuseu.records import read_jsonl
from refuseu.rows import Rating, Response
from refuseu.templates import fill, read_templates

ASPECTS = ("fluency", "correctness")


def rate(
    responses: Sequence[Response],
    judge: Asked,
    templates: dict[str, str],
    max_new_tokens: int,
    journal: str | Path,
    batch_size: int,
) -> list[Rating]:
    """Both ratings of every response; None where the judge gave no integer from 1 to 5.

    An answer that was cut, as by long reasoning, is asked for once more with twice the tokens. Cut again it
    is no rating, whatever it ends with.
    """
    questions = [[{"role": "user", "content": fill(templates[aspect], row)}] for row in responses for aspect in ASPECTS]
    decoding, beside = Decoding(0.0, 1.0, max_new_tokens), siblings(journal)
    said = uncut(judge, questions, decoding, 2 * max_new_tokens, journal, batch_size, beside=beside)
    ratings = iter(read_rating(one.text) if one.finish_reason == "stop" else None for one in said)
    return [
        Rating(prompt_id=row["prompt_id"], language=row["language"], fluency=next(ratings), correctness=next(ratings))
        for row in responses
    ]


def ratings(job: Any) -> list[Rating]:
    """Both ratings of a model's responses to one benchmark.

    Parameters
    ----------
    job : of rule ``judge_fluency``, with its input, output and params
    """
    p, journal = job.params, journal_path(job.output[0])
    responses: list[Any] = read_jsonl(job.input.responses)
    judge, templates = p.judge | p.how, read_templates(p.templates)
    return rate(responses, judge, templates, p.max_new_tokens, journal, p.how["batch_size"])


def read_rating(text: str) -> int | None:
    """The integer from 1 to 5 that stands alone on the last line of the final answer, else None.

    Of an answer in channels (gpt-oss) only the final one counts; there may be none.
    """
    lines = [line.strip() for line in final(text).splitlines() if line.strip()]
    match = re.fullmatch(r"\**([1-5])\**", lines[-1]) if lines else None
    return int(match.group(1)) if match else None
