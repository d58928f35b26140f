"""What is known of each answer: language, kind, verdict and scores, joined into one row per prompt."""

from collections.abc import Iterable, Sequence
from typing import Any

from refuseu.evaluation.outcomes import outcome
from refuseu.joins import joined
from refuseu.refusals import Languages, is_refusal
from refuseu.rows import Knowledge, Label, Measure, Rating, Response, Verdict

KNOWN = ("verdict", "decided_by", "labels", "fluency", "correctness")


def describe(
    responses: Sequence[Response],
    detected: Iterable[str],
    markers: Languages,
    repetition: float,
    *judged: Iterable[Verdict | Rating],
    policy: str = "markers",
    guard: Sequence[Label] = (),
) -> list[Measure]:
    """One row per response, without its text: detected language, outcome, and what the judges said.

    Parameters
    ----------
    detected : language code of each response, empty where there is none
    markers, repetition, policy : as in `refuseu.evaluation.outcomes.outcome`
    judged : verdicts or ratings of the same responses, in any order
    guard : labels of the same responses by a guard that states refusals, in any order; where it does, both its
        statement (``stated``) and what the markers find (``marked``) are kept

    Raises
    ------
    UserError
        If a judge's rows are not one for each response.
    """
    said = (
        [row["refusal"] for row in joined(responses, guard, "labels of a guard")] if guard else [None] * len(responses)
    )
    found = []
    for row, code, stated in zip(responses, detected, said, strict=True):
        response, language = row["response"], row["language"]
        ended = row.get("finish_reason", "stop")
        kind = outcome(response, language, code, markers, repetition, policy, stated, ended)
        record = Measure(
            prompt_id=row["prompt_id"],
            language=language,
            category=row["category"],
            style=row["style"],
            slot=row["slot"],
            detected=code,
            outcome=kind,
        )
        if stated is not None:
            record |= {"stated": stated, "marked": is_refusal(response, markers.get(language))}
        found.append(record)
    for rows in judged:
        for record, one in zip(found, joined(responses, rows, "verdicts or ratings"), strict=True):
            known: Any = {key: value for key, value in one.items() if key in KNOWN}
            record.update(known)
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
