"""What the errors of judges on answers that people judged mean for a study: rates without them, claims beside them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from refuseu.analysis.estimates import INTERVAL, RATE
from refuseu.analysis.judge_error import of_rogan_gladen, rogan_gladen, sensitivity_specificity, widened
from refuseu.analysis.judge_validation import UNSAFE, YES, audited, compared
from refuseu.analysis.sensitivity import FINAL
from refuseu.judge_rows import HumanLabel
from refuseu.records import Record
from refuseu.rows import Label, Measure

AUDIT, LABELS = "audit", "human labels"  # where the errors of a judge come from


class Errors(NamedTuple):
    """What people and a judge say of the same answers: 1 where unsafe, else 0.

    Attributes
    ----------
    source : `AUDIT` or `LABELS`
    cluster : answers that go together
    """

    source: str
    human: np.ndarray
    judge: np.ndarray
    cluster: pd.Series

    def rates(self) -> dict[str, float]:
        """Sensitivity and specificity."""
        found = sensitivity_specificity(self.human, self.judge)
        return dict(zip(("sensitivity", "specificity"), found, strict=True))


def known_errors(
    people: Sequence[HumanLabel],
    said: Mapping[str, Sequence[Label]],
    guards: Sequence[str],
    adjudicator: str,
    human: Sequence[Record] = (),
    verdicts: Mapping[str, Sequence[Measure]] | None = None,
) -> dict[str, Errors]:
    """The errors of the `FINAL` verdicts and of each guard: those of an audit of this study, else on human labels.

    Parameters
    ----------
    people, said, human, verdicts : as in `refuseu.analysis.judge_validation.validation`
    guards, adjudicator : who decide: the guards where they agree, else the adjudicator
    """
    judges: dict[str, Sequence[Label]] = {FINAL: decided([said[guard] for guard in guards], said[adjudicator])}
    judges |= {guard: said[guard] for guard in guards}
    found = {judge: errors(LABELS, frame) for judge, task, frame in compared(people, judges, {}) if task == UNSAFE}
    for judge, _, frame in audited(human, verdicts):
        name = judge.removesuffix(" (audit)").replace("verdicts", FINAL)
        if name in found and not frame.empty:
            found[name] = errors(AUDIT, frame)
    return found


def decided(guards: Sequence[Sequence[Label]], adjudicator: Sequence[Label]) -> list[Label]:
    """Labels of the final verdicts: those on which the guards agree, else the adjudicator's."""
    words = [{(row["language"], row["prompt_id"]): row["label"] for row in rows} for rows in guards]
    final = []
    for row in adjudicator:
        own = {said[row["language"], row["prompt_id"]] for said in words}
        final.append(Label(**row | {"label": own.pop()}) if len(own) == 1 and own <= {"safe", "unsafe"} else row)
    return final


def errors(source: str, frame: pd.DataFrame) -> Errors:
    """The errors in a frame of `compared`."""
    human, judge = ((frame[column] == YES).to_numpy(float) for column in ("people", "judge"))
    return Errors(source, human, judge, frame["cluster"])


def corrected_rates(
    known: Mapping[str, Errors], answers: Mapping[str, pd.DataFrame], confidence: float
) -> pd.DataFrame:
    """The ASR of each run over all answers, as each judge gives it and without the judge's errors.

    Parameters
    ----------
    known : judge → its errors
    answers : model → its items on one benchmark

    Returns
    -------
    Rows ``judge, errors, model, metric, value, ci_low, ci_high, n``; metrics are sensitivity, specificity, judged and
    corrected (Rogan and Gladen's; nothing where a judge does no better than chance), errors is where they come from.
    """
    rows: list[dict[str, Any]] = []
    for judge, found in known.items():
        column = "asr" if judge == FINAL else f"asr_{judge}"
        for model, items in answers.items():
            own = items.dropna(subset=[column])
            rest = own[column].to_numpy(float)
            key = {"judge": judge, "errors": found.source, "model": model}
            rows += [
                key | {"metric": name, "value": rate, "n": len(found.human)} for name, rate in found.rates().items()
            ]
            rows.append(key | {"metric": "judged", "value": rest.mean() if rest.size else np.nan, "n": rest.size})
            rows.append(key | {"metric": "corrected", "n": rest.size} | corrected(found, own, rest, confidence))
    return pd.DataFrame(rows, columns=["judge", "errors", "model", "metric", *INTERVAL])


def corrected(found: Errors, items: pd.DataFrame, rest: np.ndarray, confidence: float) -> dict[str, float]:
    """A rate by Rogan and Gladen with its interval, over clusters of both samples."""
    value = rogan_gladen(found.human, found.judge, rest, confidence)
    if not np.isnan(value.value):
        influences = np.concatenate(of_rogan_gladen(found.human, found.judge, rest))
        clusters = pd.concat([found.cluster.map("people {}".format), items["cluster"].map("answers {}".format)])
        value = widened(value, influences, clusters, confidence)
    return dict(zip(("value", "ci_low", "ci_high"), np.clip(value, *RATE), strict=True))


def errors_of_claims(needed: pd.DataFrame, known: Mapping[str, Errors]) -> pd.DataFrame:
    """The errors that each claim would need, in all languages alike, beside those that the judge makes.

    Parameters
    ----------
    needed : what `refuseu.analysis.sensitivity.needed_errors` returned

    Returns
    -------
    Rows ``claim, base, judge, outcome, errors, metric, value``; metrics are needed, missed (of the unsafe answers)
    and false_alarms (of the safe ones).
    """
    rows: list[dict[str, Any]] = []
    for row in needed[needed["language"] == "all"].to_dict("records"):
        if found := known.get(row["judge"]):
            key = {name: row[name] for name in ("claim", "base", "judge", "outcome")} | {"errors": found.source}
            sensitivity, specificity = found.rates().values()
            values = {"needed": row["value"], "missed": 1 - sensitivity, "false_alarms": 1 - specificity}
            rows += [key | {"metric": metric, "value": value} for metric, value in values.items()]
    return pd.DataFrame(rows, columns=["claim", "base", "judge", "outcome", "errors", "metric", "value"])
