"""What is known of each answer: language, kind, verdict and scores, joined into one row per prompt."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from refuseu.evaluation.outcomes import outcome
from refuseu.joins import joined
from refuseu.rows import Knowledge, Measure, Rating, Response, Verdict

KNOWN = ("verdict", "decided_by", "labels", "fluency", "correctness")


def describe(
    responses: Sequence[Response],
    detected: Iterable[str],
    markers: Mapping[str, Sequence[str]],
    repetition: float,
    *judged: Iterable[Verdict | Rating],
) -> list[Measure]:
    """One row per response, without its text: detected language, outcome, and what the judges said.

    Parameters
    ----------
    detected : language code of each response, empty where there is none
    markers, repetition : as in `refuseu.evaluation.outcomes.outcome`
    judged : verdicts or ratings of the same responses, in any order

    Raises
    ------
    UserError
        If a judge's rows are not one for each response.
    """
    found = [
        Measure(
            prompt_id=row["prompt_id"],
            language=row["language"],
            category=row["category"],
            style=row["style"],
            slot=row["slot"],
            detected=code,
            outcome=outcome(row["response"], row["language"], code, markers, repetition),
        )
        for row, code in zip(responses, detected, strict=True)
    ]
    for rows in judged:
        for row, said in zip(found, joined(responses, rows, "verdicts or ratings"), strict=True):
            known: Any = {key: value for key, value in said.items() if key in KNOWN}
            row.update(known)
    return found


def questions(rows: Iterable[Knowledge]) -> list[Measure]:
    """Answers to questions in the same form: whether each was correct."""
    return [
        Measure(
            prompt_id=row["sample_id"],
            language=row["language"],
            category="",
            style="",
            slot="",
            correct=row["correct"],
        )
        for row in rows
    ]
