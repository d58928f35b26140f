"""Tests by sign flips of whole clusters: does a run differ from another on the same prompts?"""

from functools import lru_cache

import numpy as np
from scipy.stats import binom

EXACT = 20_000  # outcomes that are still enumerated
MANY = 1_024  # clusters whose signs are drawn as numbers of pluses of each size, not one by one
DRAWS = 9_999
CLOSE = 1e-9


def sign_flip_p(sums: np.ndarray, seed: int, draws: int = DRAWS) -> float:
    """As `sign_flips`, of one sum of clusters, (clusters,)."""
    return float(sign_flips(sums[None], seed, draws)[0])


def sign_flips(sums: np.ndarray, seed: int, draws: int = DRAWS) -> np.ndarray:
    """Two-sided mid-p of sums of cluster sums, whose signs are as good as any if the runs do not differ.

    With clusters of one prompt each this is McNemar's mid-p test (Fagerland, Lydersen and Laake 2013, The McNemar test
    for binary matched-pairs data: mid-p and asymptotic are better than exact conditional). Exact where the clusters
    that differ are few or alike, otherwise by `draws`, among which the observed one counts.

    Parameters
    ----------
    sums : what each cluster adds to each difference, (differences, clusters)
    """
    largest = np.abs(sums).max(-1, initial=0)
    scaled = np.round(sums / np.where(largest > 0, largest, 1)[:, None], 9)
    observed = np.abs(scaled.sum(-1))
    p, many = np.ones(len(sums)), []
    for place, row in enumerate(scaled):
        sizes, counts = np.unique(np.abs(row[row != 0]), return_counts=True)
        if not sizes.size:
            continue
        if np.prod(counts + 1.0) <= EXACT:
            totals, chances = np.zeros(1), np.ones(1)
            for one, count in zip(sizes, counts, strict=True):
                ups = np.arange(count + 1)
                totals = np.add.outer(totals, one * (2 * ups - count)).ravel()
                chances = np.multiply.outer(chances, binom.pmf(ups, count, 0.5)).ravel()
            more, equal = beyond(totals, observed[place])
            p[place] = min(chances @ more + chances @ equal / 2, 1)
        elif counts.sum() > MANY:
            ups = np.random.default_rng(seed).binomial(counts, 0.5, (draws, counts.size))
            p[place] = share(((2 * ups - counts) @ sizes)[:, None], observed[place])[0]
        else:
            many.append(place)
    differ = scaled[many][:, scaled[many].any(0)]
    p[many] = share(signs(seed, draws, differ.shape[1]) @ differ.T, observed[many])
    return p


@lru_cache(maxsize=2)
def signs(seed: int, draws: int, count: int) -> np.ndarray:
    """Signs of as many clusters, drawn again and again, (draws, count)."""
    drawn = np.random.default_rng(seed).integers(0, 2, (draws, count), dtype=np.int8)
    return 2.0 * drawn - 1


def share(totals: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """How often drawn totals (draws, ...) are further from 0 than the observed ones, and half of as far."""
    more, equal = beyond(totals, observed)
    return np.asarray((more.sum(0) + (equal.sum(0) + 1) / 2) / (len(totals) + 1))


def beyond(totals: np.ndarray, observed: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """Which totals are further from 0 than the observed one, and which as far."""
    away = np.abs(totals) - observed
    return away > CLOSE, np.abs(away) <= CLOSE
