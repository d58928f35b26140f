"""What is known of each answer: language, kind, verdict and scores, joined into one record per prompt."""

from collections.abc import Iterable, Mapping, Sequence

from refuseu.evaluation.outcomes import outcome
from refuseu.records import Record

KNOWN = ("verdict", "decided_by", "labels", "fluency", "correctness")


def describe(
    responses: Sequence[Record],
    detected: Iterable[str],
    markers: Mapping[str, Sequence[str]],
    repetition: float,
    *judged: Iterable[Record],
) -> list[Record]:
    """One record per response, without its text: detected language, outcome, and what the judges said.

    Parameters
    ----------
    responses : records of ``generate``
    detected : language code of each response, empty where there is none
    markers, repetition : as in `refuseu.evaluation.outcomes.outcome`
    judged : records of ``adjudicate`` or ``judge_fluency`` for the same prompts

    Raises
    ------
    KeyError
        If a judge left a response out.
    """
    said = [{(row["language"], row["prompt_id"]): row for row in rows} for rows in judged]
    records = []
    for row, code in zip(responses, detected, strict=True):
        record = {key: row[key] for key in ("prompt_id", "language", "category")} | {
            "detected": code,
            "outcome": outcome(row["response"], row["language"], code, markers, repetition),
        }
        for rows in said:
            found = rows[row["language"], row["prompt_id"]]
            record |= {key: found[key] for key in KNOWN if key in found}
        records.append(record)
    return records


def questions(rows: Iterable[Record]) -> list[Record]:
    """Records of ``knowledge`` in the same form: whether each question was answered correctly."""
    return [
        {"prompt_id": row["sample_id"], "language": row["language"], "category": "", "correct": row["correct"]}
        for row in rows
    ]
