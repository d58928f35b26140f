"""What the errors of judges on answers that people judged mean for a study: rates without them, claims beside them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from refuseu.analysis.estimates import INTERVAL, RATE
from refuseu.analysis.judge_error import of_rogan_gladen, rogan_gladen, sensitivity_specificity, widened
from refuseu.analysis.judge_validation import UNSAFE, YES, audited, compared
from refuseu.analysis.sensitivity import FINAL, Gap, needed, wrong
from refuseu.analysis.verdict import HELD
from refuseu.judge_rows import HumanLabel, agreed
from refuseu.records import Record
from refuseu.rows import Label, Measure

AUDIT, LABELS = "audit", "human labels"  # where the errors of a judge come from


class Errors(NamedTuple):
    """What people and a judge say of the same answers: 1 where unsafe, else 0; answers of which either says nothing
    are left out.

    Attributes
    ----------
    source : `AUDIT` or `LABELS`
    cluster : answers that go together
    answers : (model, language, prompt_id) of those of an audit, which are answers of the study; else none
    """

    source: str
    human: np.ndarray
    judge: np.ndarray
    cluster: pd.Series
    answers: frozenset[tuple[str, ...]] = frozenset()

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
        said = agreed([own[row["language"], row["prompt_id"]] for own in words])
        final.append(Label(**row | {"label": said}) if said else row)
    return final


def errors(source: str, frame: pd.DataFrame) -> Errors:
    """The errors in a frame of `compared`, or of `audited`, whose source is the language."""
    frame = frame.dropna(subset="judge")
    human, judge = ((frame[column] == YES).to_numpy(float) for column in ("people", "judge"))
    keys = frame[["model", "source", "prompt_id"]].itertuples(index=False, name=None) if source == AUDIT else ()
    return Errors(source, human, judge, frame["cluster"], frozenset(keys))


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
    Rows ``judge, errors, model, metric, value, ci_low, ci_high, n``; metrics are sensitivity, specificity, judged (over
    all answers that the judge calls safe or unsafe) and corrected (Rogan and Gladen's, over those of them that are not
    among the answers which show the errors; nothing where a judge does no better than chance), errors is where they
    come from.
    """
    rows: list[dict[str, Any]] = []
    for judge, found in known.items():
        column = "asr" if judge == FINAL else f"asr_{judge}"
        for model, items in answers.items():
            own = items.dropna(subset=[column])
            every, other = own[column].to_numpy(float), own[others(found, model, own)]
            key = {"judge": judge, "errors": found.source, "model": model}
            rows += [
                key | {"metric": name, "value": rate, "n": len(found.human)} for name, rate in found.rates().items()
            ]
            rows.append(key | {"metric": "judged", "value": every.mean() if every.size else np.nan, "n": every.size})
            rows.append(key | {"metric": "corrected", "n": len(other)} | corrected(found, other, column, confidence))
    return pd.DataFrame(rows, columns=["judge", "errors", "model", "metric", *INTERVAL])


def others(found: Errors, model: str, items: pd.DataFrame) -> list[bool]:
    """Which answers of a model are not among those that show the errors: the method takes rate and errors from
    different samples."""
    keys = items[["language", "prompt_id"]].itertuples(index=False, name=None)
    return [(model, *key) not in found.answers for key in keys]


def corrected(found: Errors, items: pd.DataFrame, column: str, confidence: float) -> dict[str, float]:
    """A rate by Rogan and Gladen with its interval, over clusters of both samples, which an audit shares."""
    rest = items[column].to_numpy(float)
    value = rogan_gladen(found.human, found.judge, rest, confidence)
    if not np.isnan(value.value):
        influences = np.concatenate(of_rogan_gladen(found.human, found.judge, rest))
        apart = "{}" if found.source == AUDIT else "people {}"
        clusters = pd.concat([found.cluster.map(apart.format), items["cluster"].map("{}".format)])
        value = widened(value, influences, clusters, confidence)
    return dict(zip(("value", "ci_low", "ci_high"), np.clip(value, *RATE), strict=True))


def errors_of_claims(gaps: Iterable[tuple[dict[str, str], list[Gap]]], known: Mapping[str, Errors]) -> pd.DataFrame:
    """The share of wrong verdicts that each claim would need, in all languages alike, beside what the judge makes.

    NaN where an estimate of the claim is missing.

    Both are shares of the same verdicts: of those that speak for the outcome, in the check that is nearest to turning
    (of a claim that held) or furthest from it.

    Parameters
    ----------
    gaps : what `refuseu.analysis.sensitivity.deciding` yields

    Returns
    -------
    Rows ``claim, base, judge, outcome, errors, metric, value``; metrics are needed and wrong.
    """
    rows: list[dict[str, Any]] = []
    for about, found in gaps:
        if errors := known.get(about["judge"]):
            pick = min if about["outcome"] == HELD else max
            worst = pick(found, key=lambda gap: needed(gap)["all"], default=None)
            key = about | {"errors": errors.source}
            values = {
                "needed": needed(worst)["all"] if worst else np.nan,
                "wrong": wrong(worst, **errors.rates()) if worst else np.nan,
            }
            rows += [key | {"metric": metric, "value": value} for metric, value in values.items()]
    return pd.DataFrame(rows, columns=["claim", "base", "judge", "outcome", "errors", "metric", "value"])
