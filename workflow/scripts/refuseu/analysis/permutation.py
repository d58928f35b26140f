"""Tests by sign flips of whole clusters: does a run differ from another on the same prompts?"""

import numpy as np
from scipy.stats import binom

EXACT = 20_000  # outcomes that are still enumerated
DRAWS = 9_999
CLOSE = 1e-9


def sign_flip_p(sums: np.ndarray, seed: int, draws: int = DRAWS) -> float:
    """Two-sided mid-p of the sum of cluster sums, whose signs are as good as any if the runs do not differ.

    With clusters of one prompt each this is McNemar's mid-p test (Fagerland, Lydersen and Laake 2013, The McNemar test
    for binary matched-pairs data: mid-p and asymptotic are better than exact conditional). Exact where the clusters
    that differ are few or alike, otherwise by `draws`, among which the observed one counts.

    Parameters
    ----------
    sums : what each cluster adds to the difference, (clusters,)
    """
    size = np.abs(sums[sums != 0])
    if not size.size:
        return 1.0
    scale = size.max()
    sizes, counts = np.unique(np.round(size / scale, 9), return_counts=True)
    observed = abs(np.round(sums / scale, 9).sum())
    if np.prod(counts + 1.0) <= EXACT:
        totals, chances = np.zeros(1), np.ones(1)
        for one, count in zip(sizes, counts, strict=True):
            ups = np.arange(count + 1)
            totals = np.add.outer(totals, one * (2 * ups - count)).ravel()
            chances = np.multiply.outer(chances, binom.pmf(ups, count, 0.5)).ravel()
        more, equal = beyond(totals, observed)
        return float(min(chances @ more + chances @ equal / 2, 1))
    rng = np.random.default_rng(seed)
    more, equal = beyond((2 * rng.binomial(counts, 0.5, (draws, counts.size)) - counts) @ sizes, observed)
    return float((more.sum() + (equal.sum() + 1) / 2) / (draws + 1))


def beyond(totals: np.ndarray, observed: float) -> tuple[np.ndarray, np.ndarray]:
    """Which totals are further from 0 than the observed one, and which as far."""
    away = np.abs(totals) - observed
    return away > CLOSE, np.abs(away) <= CLOSE
