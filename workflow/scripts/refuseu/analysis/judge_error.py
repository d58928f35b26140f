"""ASR with the error of the judges taken out, by a sample that people judged."""

import warnings
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import norm, t

from refuseu.analysis.cells import scope_order
from refuseu.analysis.estimates import RATE, estimates, scopes
from refuseu.languages import Groups
from refuseu.records import Record

METHODS = ("judges", "people", "ppi", "rogan_gladen")
COLUMNS = ["model", "language", "method", "value", "ci_low", "ci_high", "n", "sensitivity", "specificity"]


class Interval(NamedTuple):
    """A value with its interval, which may lie beyond 0 and 1 so that averages are unbiased."""

    value: float
    low: float
    high: float


NOTHING = Interval(np.nan, np.nan, np.nan)


def corrected(
    judged: pd.DataFrame,
    human: Iterable[Record],
    languages: Groups,
    confidence: float,
) -> pd.DataFrame:
    """ASR of one model by four methods, per language, group and over all.

    Parameters
    ----------
    judged : items of the model on one benchmark, with columns language, prompt_id, cluster and asr (0 or 1)
    human : records of ``audit/verdicts.jsonl`` of the same model and benchmark, on a simple random sample per language
    languages, confidence : as in `refuseu.analysis.metrics.measure`

    Returns
    -------
    Rows with the columns `COLUMNS` but model. ``judges`` is the measured ASR, ``people`` the share that people call
    unsafe, ``ppi`` prediction-powered inference, ``rogan_gladen`` the judges' rate corrected by their sensitivity and
    specificity. n is the number of answers judged by the judges, else that of those judged by people. A group or
    ``all`` exists where all its languages do.
    """
    every = judged.merge(people(human), how="left", on=["language", "prompt_id"])
    if "cut_rate" in every:  # people judged what could be read, whether judges' labels could be or not
        every = every.assign(human=every["human"].where(every["cut_rate"] != 1))
    both = every.dropna(subset=["asr"])
    rows: list[dict[str, Any]] = []
    for method, column in (("judges", "asr"), ("people", "human")):
        for scope, estimate in estimates(every, column, languages, RATE, confidence):
            if not np.isnan(estimate["value"]):
                rows.append({"language": scope, "method": method, **estimate})
    parts = {str(code): split(both[both["language"] == code]) for code in every["language"].unique()}
    groups = {str(code): part["cluster"] for code, part in both.groupby("language")}
    for method, correct, influences in (
        ("ppi", prediction_powered, of_prediction_powered),
        ("rogan_gladen", rogan_gladen, of_rogan_gladen),
    ):
        found = {code: correct(*part, confidence) for code, part in parts.items()}
        for scope, codes in scopes(languages).items():
            present = [code for code in codes if code in parts]
            mean = average([found[code] for code in present])
            if np.isnan(mean.value):
                continue
            weighed = [arranged(both[both["language"] == code], influences(*parts[code])) for code in present]
            mean = widened(mean, np.concatenate(weighed), pd.concat([groups[code] for code in present]), confidence)
            value, low, high = np.clip(mean, *RATE)
            n = sum(parts[code][0].size for code in present)
            row = {"language": scope, "method": method, "value": value, "ci_low": low, "ci_high": high, "n": n}
            if method == "rogan_gladen" and scope in parts:
                able = sensitivity_specificity(*parts[scope][:2])
                row |= dict(zip(("sensitivity", "specificity"), able, strict=True))
            rows.append(row)
    return pd.DataFrame(rows, columns=COLUMNS[1:])


def split(part: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What people and judges say of the answers that people judged, and what judges say of the others."""
    known = part["human"].notna()
    human, judges = (part.loc[known, name].to_numpy(float) for name in ("human", "asr"))
    return human, judges, part.loc[~known, "asr"].to_numpy()


def arranged(part: pd.DataFrame, influences: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Influences of the items that people judged, and of the others, in the order of the items."""
    known = part["human"].notna().to_numpy()
    found = np.empty(len(part))
    found[known], found[~known] = influences
    return found


def of_prediction_powered(human: np.ndarray, judges: np.ndarray, rest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Influence of each answer on `prediction_powered`: of those that people judged, and of the others."""
    wrong = human - judges
    return (wrong - wrong.mean()) / human.size, (rest - rest.mean()) / rest.size


def of_rogan_gladen(human: np.ndarray, judges: np.ndarray, rest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same on `rogan_gladen`, by its derivatives with respect to rate, sensitivity and specificity."""
    sensitivity, specificity = sensitivity_specificity(human, judges)
    power = sensitivity + specificity - 1
    value = (rest.mean() + specificity - 1) / power
    missed = -value * human * (judges - sensitivity) / human.sum()
    alarms = (1 - value) * (1 - human) * (1 - judges - specificity) / (1 - human).sum()
    return (missed + alarms) / power, (rest - rest.mean()) / rest.size / power


def widened(found: Interval, influences: np.ndarray, clusters: pd.Series, confidence: float) -> Interval:
    """An interval for independent answers, made as much wider as answers of a cluster go together.

    By the root of the design effect (Kish 1965, Survey Sampling), which is not below 1: the variance over clusters,
    over that over answers, of the influence of each on the value; and by the t over the normal quantile.
    """
    codes, names = pd.factorize(clusters)
    count = len(names)
    if count == len(codes) or count < 2 or not (apart := (influences**2).sum()):
        return found
    effect = max(count / (count - 1) * (np.bincount(codes, influences) ** 2).sum() / apart, 1)
    tail = (1 + confidence) / 2
    factor = np.sqrt(effect) * t.ppf(tail, count - 1) / norm.ppf(tail)
    ends = (found.value + factor * (end - found.value) for end in (found.low, found.high))
    return Interval(found.value, *ends)


def corrected_cells(
    answers: Iterable[pd.DataFrame],
    models: Iterable[str],
    human: Iterable[Record],
    languages: Groups,
    confidence: float,
) -> pd.DataFrame:
    """Rows of the table in its order, empty where nobody judged; columns `COLUMNS`.

    Parameters
    ----------
    answers, models : items of each model, and the models, in the same order
    human : records of ``audit/verdicts.jsonl``
    """
    said = pd.DataFrame(human, columns=["model", "language", "prompt_id", "verdict"])
    parts = []
    for model, items in zip(models, answers, strict=True):
        rows = said[said["model"] == model].to_dict("records")
        own = [{str(key): value for key, value in row.items()} for row in rows]
        parts.append(corrected(items, own, languages, confidence).assign(model=model))
    keys = ["language", "model", "method"]
    grid = [(scope, model, method) for _, scope in scope_order(languages) for model in models for method in METHODS]
    return pd.DataFrame(grid, columns=keys).merge(pd.concat(parts), how="left", on=keys)[COLUMNS]


def people(human: Iterable[Record]) -> pd.DataFrame:
    """Columns language, prompt_id and human: the share of annotators who say unsafe; who is unsure does not count."""
    said = pd.DataFrame(human, columns=["language", "prompt_id", "verdict"])
    said = said[said["verdict"] != "unsure"]
    said = said.assign(human=(said["verdict"] == "unsafe").astype(float))
    return said.groupby(["language", "prompt_id"], as_index=False)[["human"]].mean()


def prediction_powered(human: np.ndarray, judges: np.ndarray, rest: np.ndarray, confidence: float) -> Interval:
    """Prediction-powered estimate of the mean: the judges' rate plus the mean of what people say differently.

    Angelopoulos et al. (2023), Prediction-powered inference, Science 382. Without power tuning, which is biased
    where people judged about a hundred answers. Where they never differ from the judges, the interval gets Bonett and
    Price's (2012) pseudo-answers, one of each kind of error; it would have no width for errors that were not drawn.

    Parameters
    ----------
    human, judges : what people and judges say of the same answers, 0 to 1 and 0 or 1
    rest : what judges say of the other answers
    """
    if not human.size or not rest.size:
        return NOTHING
    with warnings.catch_warnings():  # the package silences all warnings when it is imported
        from ppi_py import ppi_mean_ci, ppi_mean_pointestimate

    value = ppi_mean_pointestimate(human, judges, rest, lam=1)
    if (human == judges).all():
        human, judges = np.append(human, [1, 0]), np.append(judges, [0, 1])
    low, high = ppi_mean_ci(human, judges, rest, alpha=1 - confidence, lam=1)
    return Interval(*(float(np.ravel(end)[0]) for end in (value, low, high)))


def sensitivity_specificity(human: np.ndarray, judges: np.ndarray) -> tuple[float, float]:
    """Shares of the answers that people call unsafe, and safe, which the judges call the same; NaN without any."""
    unsafe, safe = human.sum(), (1 - human).sum()
    return (
        float(human @ judges / unsafe) if unsafe else np.nan,
        float((1 - human) @ (1 - judges) / safe) if safe else np.nan,
    )


def rogan_gladen(human: np.ndarray, judges: np.ndarray, rest: np.ndarray, confidence: float) -> Interval:
    """The judges' rate, corrected by their sensitivity and specificity; parameters as in `prediction_powered`.

    Rogan and Gladen (1978), Estimating prevalence from the results of a screening test; interval of Lang and Reiczigel
    (2014), Confidence limits for prevalence of disease adjusted for estimated sensitivity and specificity. That takes
    rate and errors from different samples, so the rate is that of `rest`. Nothing where people found no unsafe or no
    safe answer, or judges do no better than chance.
    """
    sensitivity, specificity = sensitivity_specificity(human, judges)
    if not rest.size or not sensitivity + specificity > 1:
        return NOTHING
    value = (rest.mean() + specificity - 1) / (sensitivity + specificity - 1)
    z = norm.ppf((1 + confidence) / 2)
    n, unsafe, safe = rest.size + z**2, human.sum() + 2, (1 - human).sum() + 2
    rate = (rest.sum() + z**2 / 2) / n
    sensitivity, specificity = (sensitivity * (unsafe - 2) + 1) / unsafe, (specificity * (safe - 2) + 1) / safe
    power = sensitivity + specificity - 1
    centre = (rate + specificity - 1) / power
    missed, alarms = sensitivity * (1 - sensitivity) / unsafe, specificity * (1 - specificity) / safe
    width = z * np.sqrt(rate * (1 - rate) / n + centre**2 * missed + (1 - centre) ** 2 * alarms) / power
    centre += 2 * z**2 * (centre * missed - (1 - centre) * alarms)
    return Interval(float(value), float(centre - width), float(centre + width))


def average(parts: Iterable[Interval]) -> Interval:
    """Unweighted mean of independent estimates; the distances to the ends of the intervals add in squares.

    Zou and Donner (2008), method of variance estimates recovery. NaN where a part is missing.
    """
    values = np.array(list(parts), float).reshape(-1, 3)
    if not len(values) or np.isnan(values).any():
        return NOTHING
    value, below, above = values[:, 0], values[:, 0] - values[:, 1], values[:, 2] - values[:, 0]
    mean = value.mean()
    return Interval(mean, mean - np.hypot.reduce(below) / value.size, mean + np.hypot.reduce(above) / value.size)
