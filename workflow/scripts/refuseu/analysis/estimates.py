"""Estimates and tests: means with intervals over languages, agreement of judges, permutations."""

from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np
import pandas as pd
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from refuseu.languages import Groups, members

RATE, SCORE = (0.0, 1.0), (1.0, 5.0)


def scopes(languages: Groups) -> dict[str, list[str]]:
    """Every row of a table: each language, each group, and ``all``, with the languages it averages."""
    codes = members(languages)
    return {code: [code] for code in codes} | {k: list(v) for k, v in languages.items()} | {"all": codes}


def estimates(
    sample: pd.DataFrame,
    metric: str,
    languages: Groups,
    bounds: tuple[float, float],
    confidence: float,
    resamples: int,
    seed: int,
) -> list[tuple[str, dict[str, float]]]:
    """Mean and interval per language, per group and over all, in this order.

    Languages in the sample that are in no group come first and are in no average. A group is the
    unweighted mean over its languages that occur in the sample. The interval of a rate in one language is
    Wilson's; any other is a percentile bootstrap that resamples prompts within each language. Where all
    prompts of a scope agree that bootstrap has no width: then Wilson's bound on what was never seen, times
    the distance to the `bounds` of the measure, is the width.
    """
    rng = np.random.default_rng(seed)
    strata = {str(code): values.to_numpy(float) for code, values in sample.groupby("language")[metric]}
    beyond = {code: [code] for code in strata if code not in scopes(languages)["all"]}
    wanted = [*scopes(languages)["all"], *beyond]
    means = {code: bootstrap(strata[code], resamples, rng) for code in wanted if code in strata}
    rows = []
    for scope, codes in (beyond | scopes(languages)).items():
        if not (present := [code for code in codes if code in means]):
            continue
        value = float(np.mean([strata[code].mean() for code in present]))
        n = sum(strata[code].size for code in present)
        if bounds == RATE and len(present) == 1:
            low, high = wilson_interval(strata[present[0]].sum(), n, confidence)
        else:
            low, high = percentiles(np.mean([means[code] for code in present], axis=0), confidence)
            if low == high:
                unseen = wilson_interval(0, n, confidence)[1]
                low, high = value - unseen * (value - bounds[0]), value + unseen * (bounds[1] - value)
        rows.append((scope, {"value": value, "ci_low": low, "ci_high": high, "n": n}))
    return rows


def bootstrap(values: np.ndarray, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Means of `resamples` samples drawn with replacement from `values`, shape (resamples,).

    Drawn through the counts of the distinct values, which is exact and needs no index array.
    """
    distinct, counts = np.unique(values, return_counts=True)
    return np.asarray(rng.multinomial(values.size, counts / values.size, size=resamples) @ distinct / values.size)


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


def mcnemar_p(differences: pd.Series) -> float:
    """McNemar's exact two-sided p from the paired differences of a yes-or-no measure (-1, 0 or 1)."""
    up, down = int((differences > 0).sum()), int((differences < 0).sum())
    return float(mcnemar([[0, up], [down, 0]], exact=True).pvalue) if up + down else 1.0


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
