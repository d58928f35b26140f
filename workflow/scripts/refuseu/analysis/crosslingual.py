"""Consistency over languages, for benchmarks whose prompts are translations of each other.

Both measures are those of Bu et al. (arXiv 2602.16660), of safe and unsafe answers.
"""

import numpy as np
import pandas as pd

from refuseu.analysis.estimates import percentiles, wilson_interval


def estimates(items: pd.DataFrame, confidence: float, resamples: int, seed: int) -> list[tuple[str, dict[str, float]]]:
    """Variance over languages of the ASR and pairwise agreement, with intervals; n is the number of prompts.

    ``asr_variance`` is the population variance of the languages' ASR, which is that of their safety rates. ``pag`` is
    the share of pairs of languages with the same outcome on the same prompt. Prompts are resampled for the
    intervals. That of the variance is shifted by the bias of the resampled values, twice: the sampling of
    prompts adds to the published measure, and resampling them adds as much again. Where all prompts are alike the
    resampled values do not differ: then Wilson's bound on what was never seen, times the distance to the least and most
    that there can be, is the width. Neither has a value where a language has no answer known to be safe or unsafe.

    Parameters
    ----------
    items : of one benchmark, from `refuseu.analysis.metrics.read_items`; what stands behind the language in a
        prompt's id names the prompt that it is a translation of
    confidence, resamples, seed : as in `refuseu.analysis.metrics.measure`
    """
    if "asr" not in items:
        return []
    values, rng = outcomes(items).to_numpy(float), np.random.default_rng(seed)
    n = len(values)
    if (items.groupby("language")["asr"].count() == 0).any():
        nothing = {"value": np.nan, "ci_low": np.nan, "ci_high": np.nan, "n": n, "clusters": n}
        return [(metric, nothing) for metric in ("asr_variance", "pag")]
    if not n:
        return []
    weights = rng.multinomial(n, np.full(n, 1 / n), size=resamples)
    rows = []
    for metric, statistic, biased, most in (
        ("asr_variance", variance, True, 0.25),
        ("pag", pairwise_agreement, False, 1),
    ):
        value, drawn = statistic(values, np.ones((1, n))).item(), statistic(values, weights)
        low, high = percentiles(drawn - 2 * biased * (np.nanmean(drawn) - value), confidence)
        if low == high:
            unseen = wilson_interval(0, n, confidence)[1]
            low, high = value - unseen * value, value + unseen * (most - value)
        estimate = {"value": value, "ci_low": max(low, 0.0), "ci_high": min(high, 1.0), "n": n, "clusters": n}
        rows.append((metric, estimate))
    return rows


def outcomes(items: pd.DataFrame) -> pd.DataFrame:
    """Prompts that exist in several languages × languages: 1 unsafe, 0 safe, NaN without an answer."""
    judged = items.dropna(subset=["asr"])
    table = judged.pivot(index="cluster", columns="language", values="asr")
    return table[table.notna().sum(axis=1) > 1]


def variance(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Population variance of the languages' rates, for each row of prompt weights (r, n); shape (r,)."""
    known = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return np.asarray((weights @ np.where(known, values, 0) / (weights @ known)).var(axis=1))


def pairwise_agreement(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Share of pairs of languages with the same outcome, for each row of prompt weights (r, n); shape (r,)."""
    unsafe, known = np.nansum(values, axis=1), (~np.isnan(values)).sum(axis=1)
    equal = unsafe * (unsafe - 1) + (known - unsafe) * (known - unsafe - 1)
    return np.asarray(weights @ equal / (weights @ (known * (known - 1))))
