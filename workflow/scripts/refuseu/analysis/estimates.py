"""Estimates and tests: means with intervals over languages, agreement of judges, permutations."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from refuseu.analysis.intervals import Mean, interval, mean
from refuseu.languages import Groups, members

RATE, SCORE = (0.0, 1.0), (1.0, 5.0)
INTERVAL = ["value", "ci_low", "ci_high", "n"]
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
    its languages that occur in the sample. Intervals are those of `refuseu.analysis.intervals`.

    Parameters
    ----------
    sample : with columns language, cluster (see `refuseu.analysis.dependence`) and `metric`
    bounds : of the measure

    Returns
    -------
    Scope and its columns `refuseu.analysis.estimates.ESTIMATE`.
    """
    return [(scope, row_of(own, bounds, confidence)) for scope, own in means(sample, metric, languages)]


def means(sample: pd.DataFrame, metric: str, languages: Groups, *only: str) -> Iterator[tuple[str, Mean]]:
    """The mean of each scope of `estimates`, or of some; all have the clusters of the whole sample, in one order.

    Parameters
    ----------
    sample : as in `estimates`; a categorical column cluster may have more clusters than the sample
    """
    codes, names = pd.factorize(sample["language"])
    grouped = sample["cluster"].astype("category").cat
    clusters, count = grouped.codes.to_numpy(), len(grouped.categories)
    values, places = sample[metric].to_numpy(float), {str(name): place for place, name in enumerate(names)}
    beyond = {code: [code] for code in places if code not in scopes(languages)["all"]}
    for scope, own in (beyond | scopes(languages)).items():
        present = [places[code] for code in own if code in places]
        if present and (not only or scope in only):
            chosen = np.isin(codes, present)
            _, numbers = np.unique(codes[chosen], return_inverse=True)
            yield scope, mean(values[chosen], numbers, clusters[chosen], count)


def row_of(found: Mean, bounds: tuple[float, float], confidence: float) -> dict[str, float]:
    """A mean as columns `ESTIMATE`."""
    low, high, df = interval(found, bounds, confidence)
    seeds = float(found.training) if found.runs > 1 else np.nan
    parts = {"var_prompts": float(found.independent), "var_slots": float(found.between), "var_seeds": seeds}
    ends = {"value": float(found.value), "ci_low": float(low), "ci_high": float(high), "n": int(found.n)}
    return ends | {"clusters": int(found.clusters), "df": float(df)} | parts


def percentiles(replicates: np.ndarray, confidence: float) -> tuple[float, float]:
    """The central `confidence` share of bootstrap replicates; undefined replicates are left out."""
    if np.isnan(replicates).all():
        return np.nan, np.nan
    low, high = np.nanquantile(replicates, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


@cache
def wilson_interval(count: float, n: int, confidence: float) -> tuple[float, float]:
    """Wilson's score interval of `count` in `n`."""
    low, high = proportion_confint(count, n, alpha=1 - confidence, method="wilson")
    return 0.0 if count == 0 else float(low), 1.0 if count == n else float(high)  # but for rounding


def holm(p: pd.Series) -> pd.Series:
    """Holm's correction over the p-values that exist."""
    known = p.dropna()
    corrected = multipletests(known, method="holm")[1] if len(known) else known
    return pd.Series(corrected, index=known.index, dtype=float).reindex(p.index)


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
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(np.isclose(expected, 1), np.nan, (observed(counts) - expected) / (1 - expected))


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
