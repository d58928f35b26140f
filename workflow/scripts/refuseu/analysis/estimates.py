"""Estimates and tests: means with intervals over languages, agreement of judges, permutations."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import compress

import numpy as np
import pandas as pd

from refuseu.analysis.intervals import Mean, interval, tally
from refuseu.analysis.intervals import means as over_sets
from refuseu.languages import Groups, members

RATE, SCORE = (0.0, 1.0), (1.0, 5.0)
INTERVAL = ["value", "ci_low", "ci_high", "n"]
COUNTS = ("n", "clusters")
ESTIMATE = [*INTERVAL, "clusters", "df", "var_prompts", "var_slots", "var_seeds"]


def scopes(languages: Groups) -> dict[str, list[str]]:
    """Every row of a table: each language, each group, and ``all``, with the languages it averages."""
    codes = members(languages)
    return {code: [code] for code in codes} | {k: list(v) for k, v in languages.items()} | {"all": codes}


def estimates(
    sample: pd.DataFrame, metric: str, languages: Groups, bounds: tuple[float, float], confidence: float
) -> list[tuple[str, dict[str, float]]]:
    """Mean and interval per language, per group and over all, in this order.

    Languages in the sample that are in no group come first and are in no average. A group is the unweighted mean over
    its languages that occur in the sample; where nothing is known of one of them, neither it nor an average over it has
    a value. Intervals are those of `refuseu.analysis.intervals`.

    Parameters
    ----------
    sample : all items that were asked for, with columns language, cluster (see `refuseu.analysis.dependence`) and
        `metric`, which is NaN where nothing is known
    bounds : of the measure

    Returns
    -------
    Scope and its columns `refuseu.analysis.estimates.ESTIMATE`.
    """
    names, found = means(sample, metric, languages)
    return list(zip(names, rows_of(found, bounds, confidence), strict=True))


def means(sample: pd.DataFrame, metric: str, languages: Groups, *only: str) -> tuple[list[str], Mean]:
    """The scopes of `estimates` that were asked for, and their means, whose value is NaN where a language was lost.

    Parameters
    ----------
    sample : as in `estimates`; a categorical column cluster may have more clusters than the sample
    only : these scopes, and the lost ones of their languages, so that one sees what an average lacks
    """
    codes, names = pd.factorize(sample["language"])
    grouped, values = sample["cluster"].astype("category").cat, sample[metric].to_numpy(float)
    known = ~np.isnan(values)
    shape = len(names), len(grouped.categories)
    counted = tally(values[known], codes[known], grouped.codes.to_numpy()[known], shape)
    lost = counted.n.sum(-1) == 0
    places, every = [str(name) for name in names], scopes(languages)
    wanted = {place: [place] for place in places if place not in every["all"]} | every
    averaged = {code for scope in only for code in every[scope]}
    shown = {*only, *averaged.intersection(compress(places, lost))} if only else {*wanted}
    chosen = {scope: np.isin(places, own) for scope, own in wanted.items() if scope in shown}
    present = [scope for scope, own in chosen.items() if own.any()]
    sets = np.array([chosen[scope] for scope in present], bool).reshape(len(present), len(places))
    found = over_sets(counted, sets)
    return present, replace(found, value=np.where((sets & lost).any(-1), np.nan, found.value))


def rows_of(found: Mean, bounds: tuple[float, float], confidence: float) -> list[dict[str, float]]:
    """Means, one or several in a row, as columns `ESTIMATE`."""
    low, high, df = interval(found, bounds, confidence)
    columns = {
        "value": found.value, "ci_low": low, "ci_high": high, "n": found.n, "clusters": found.clusters, "df": df,
        "var_prompts": found.independent, "var_slots": found.between,
        "var_seeds": found.training if found.runs > 1 else np.full(np.shape(found.value), np.nan),
    }  # fmt: skip
    return by_row(columns)


def by_row(columns: Mapping[str, object]) -> list[dict[str, float]]:
    """Arrays of one length, or numbers, as rows of plain numbers; without a value only counts are known."""
    values = [np.atleast_1d(np.asarray(column)).tolist() for column in columns.values()]
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*values, strict=True)]
    return [
        row if row["value"] == row["value"] else dict.fromkeys(row, np.nan) | {key: row[key] for key in COUNTS}
        for row in rows
    ]


def percentiles(replicates: np.ndarray, confidence: float) -> tuple[float, float]:
    """The central `confidence` share of bootstrap replicates; undefined replicates are left out."""
    if np.isnan(replicates).all():
        return np.nan, np.nan
    low, high = np.nanquantile(replicates, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


@cache
def wilson_interval(count: float, n: int, confidence: float) -> tuple[float, float]:
    """Wilson's score interval of `count` in `n`."""
    from statsmodels.stats.proportion import proportion_confint  # takes longer than all of rule measure's own work

    low, high = proportion_confint(count, n, alpha=1 - confidence, method="wilson")
    return 0.0 if count == 0 else float(low), 1.0 if count == n else float(high)  # but for rounding


def holm(p: pd.Series) -> pd.Series:
    """Holm's correction over the p-values that exist."""
    from statsmodels.stats.multitest import multipletests  # as above

    known = p.dropna()
    return pd.Series(multipletests(known, method="holm")[1], index=known.index, dtype=float).reindex(p.index)


def confusion(a: Iterable[str], b: Iterable[str], categories: Sequence[str] = ("safe", "unsafe")) -> np.ndarray:
    """How often `a` gave category i where `b` gave j, shape (k, k); other labels are left out."""
    table = pd.crosstab(pd.Series(list(a)), pd.Series(list(b)))
    return np.asarray(table.reindex(index=list(categories), columns=list(categories), fill_value=0))


def observed(counts: np.ndarray) -> np.ndarray:
    """Share of equal labels, over the last two axes of `counts`."""
    return np.asarray(np.trace(counts, axis1=-2, axis2=-1) / counts.sum((-2, -1)))


def cohen_kappa(counts: np.ndarray) -> np.ndarray:
    """Cohen's kappa of confusion counts (..., k, k); NaN where only one category was ever used."""
    share = counts / counts.sum((-2, -1), keepdims=True)
    expected = (share.sum(-1) * share.sum(-2)).sum(-1)
    with np.errstate(invalid="ignore"):
        return np.asarray((observed(counts) - expected) / (1 - expected))


def gwet_ac1(counts: np.ndarray) -> np.ndarray:
    """Gwet's AC1 of confusion counts (..., k, k): steady where one label dominates.

    Gwet (2008), Computing inter-rater reliability and its variance in the presence of high agreement.
    """
    share = counts / counts.sum((-2, -1), keepdims=True)
    used = (share.sum(-1) + share.sum(-2)) / 2
    expected = (used * (1 - used)).sum(-1) / (counts.shape[-1] - 1)
    return np.asarray((observed(counts) - expected) / (1 - expected))


def mantel(a: np.ndarray, b: np.ndarray, permutations: int, seed: int) -> tuple[float, np.ndarray]:
    """Correlation of two square matrices off the diagonal, and the same after permutations of `a`.

    Rows and columns are permuted together (Mantel 1967); cells undefined in either matrix are left out.
    NaN where a matrix does not vary.
    """
    rng = np.random.default_rng(seed)
    off = ~np.eye(len(a), dtype=bool)

    def correlation(order: np.ndarray) -> float:
        x, y = a[np.ix_(order, order)][off], b[off]
        known = ~(np.isnan(x) | np.isnan(y))
        if not known.any() or min(np.ptp(x[known]), np.ptp(y[known])) < 1e-12:
            return np.nan
        return float(np.corrcoef(x[known], y[known])[0, 1])

    drawn = [correlation(rng.permutation(len(a))) for _ in range(permutations)]
    return correlation(np.arange(len(a))), np.array(drawn)


def permutation_p(value: float, drawn: np.ndarray) -> float:
    """One-sided p: how often chance reaches `value`, which counts as one of the draws."""
    return float((1 + (drawn >= value).sum()) / (1 + drawn.size))
