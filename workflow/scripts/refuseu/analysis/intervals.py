"""Means over clusters of items: their variance in parts, and intervals that hold for rates, scores and differences.

The target of every interval is the rate over all slots (or prompts) that might have been drawn, not over those that
were: a study with other prompts of the same kind has its rate in it as often as the interval says. All arrays may
have leading axes, so that many studies are computed at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from scipy.special import stdtrit

Array = np.ndarray
LEAST = 4  # degrees of freedom that skewness leaves at least


@dataclass(frozen=True)
class Mean:
    """An unweighted mean over languages of the means of their items.

    Attributes
    ----------
    value : (...)
    independent : its variance if all items were independent, (...)
    sums : what each cluster adds to the value, (..., clusters)
    scores : the same of the items less the mean of their language, (..., clusters); they add up to 0
    weights : share of each cluster in the value, (..., clusters); they add up to 1
    n : number of items, (...)
    single : whether every cluster is one item, (...)
    training : variance that training seeds add, (...); 0 with one run
    between_runs : variance of the runs' values over the number of runs, (...)
    runs : how many runs the value is the mean of
    """

    value: Array
    independent: Array
    sums: Array
    scores: Array
    weights: Array
    n: Array
    single: Array
    training: Array | float = 0.0
    between_runs: Array | float = 0.0
    runs: int = 1

    @property
    def clusters(self) -> Array:
        return np.asarray((self.weights > 0).sum(-1))

    @property
    def between(self) -> Array:
        """The variance that clusters add, 0 where they add none (or none is larger than an item)."""
        return np.asarray(np.maximum(jackknife(self) - self.independent, 0) * ~self.single)


@dataclass(frozen=True)
class Tally:
    """Items of one measure, counted.

    Attributes
    ----------
    sums : of the values of each language and cluster, (..., languages, clusters)
    n : number of the items there, (..., languages, clusters)
    variance : of the values of each language, over the number of its items, (..., languages)
    """

    sums: Array
    n: Array
    variance: Array


def tally(values: Array, languages: Array, clusters: Array, shape: tuple[int, int]) -> Tally:
    """Counts of items, from the language and the cluster of each, numbered from 0; `shape` is how many there are."""
    cells = languages * shape[1] + clusters
    size = np.maximum(np.bincount(languages, minlength=shape[0]), 1)
    residuals = values - (np.bincount(languages, values, minlength=shape[0]) / size)[languages]
    return Tally(
        sums=np.bincount(cells, values, minlength=shape[0] * shape[1]).reshape(shape),
        n=np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape),
        variance=np.bincount(languages, residuals**2, minlength=shape[0]) / size,
    )


def means(counted: Tally, chosen: Array) -> Mean:
    """Means over several sets of languages at once.

    Parameters
    ----------
    chosen : 1 for each language of a set, else 0; (sets, languages), or as the leading axes of counts. A set of which a
        language has no items has no mean: what is returned for it is without meaning
    """
    size, count = counted.n.sum(-1), chosen.sum(-1)
    rates = counted.sums.sum(-1) / np.maximum(size, 1)
    share = chosen / np.maximum(size, 1) / count[..., None]

    def over(parts: Array, by: Array) -> Array:
        return np.asarray((by[..., None, :] @ parts)[..., 0, :])

    single = np.asarray((over(counted.n, chosen * 1.0) <= 1).all(-1))
    spread = counted.variance / np.maximum(np.where(single[..., None], size, size - 1), 1)
    return Mean(
        value=np.asarray((chosen * rates).sum(-1) / count),
        independent=np.asarray((chosen * spread).sum(-1) / count**2),
        sums=over(counted.sums, share),
        scores=over(counted.sums - counted.n * rates[..., None], share),
        weights=over(counted.n, share),
        n=np.asarray((chosen * size).sum(-1)),
        single=single,
    )


def mean(values: Array, languages: Array, clusters: Array, count: int) -> Mean:
    """The mean of items, of all languages.

    Parameters
    ----------
    values : (items,)
    languages, clusters : the language and the cluster of each item, numbered from 0; every language has an item
    count : how many clusters there are; those without an item have no weight
    """
    counted = tally(values, languages, clusters, (int(languages.max()) + 1, count))
    return means(counted, np.ones(len(counted.variance)))


def stacked(found: Sequence[Mean]) -> Mean:
    """Several means, one or several in a row each, of as many clusters and runs, below each other."""
    return each(lambda *parts: np.concatenate(parts), *found)


def rows(found: Mean, places: Sequence[int]) -> Mean:
    """Some of several means in a row."""
    return each(lambda part: part[list(places)], found)


def each(change: Callable[..., Array], *found: Mean) -> Mean:
    """A mean of what `change` makes of each part that is an array."""
    parts = {one.name: [getattr(mean, one.name) for mean in found] for one in fields(Mean)}
    changed: dict[str, Any] = {name: change(*part) for name, part in parts.items() if np.ndim(part[0])}
    return replace(found[0], **changed)


def jackknife(found: Mean, other: Mean | None = None) -> Array:
    """Variance of a mean over clusters by the delete-one-cluster jackknife (CR3), or its covariance with an `other`.

    Bell and McCaffrey (2002), Bias reduction in standard errors for linear regression with multi-stage samples; less
    biased with few clusters of unequal size than the plain sandwich.
    """
    count = found.clusters
    left = np.where(found.weights < 1, 1 - found.weights, np.inf)
    products = found.scores * (found if other is None else other).scores / left**2
    return np.asarray((count - 1) / np.maximum(count, 1) * products.sum(-1))


def degrees(found: Mean) -> tuple[Array, Array]:
    """Degrees of freedom of the variance of a mean: for the size of clusters, and for their skewness as well.

    Satterthwaite's: the squared mean of a variance's distribution over half its variance. Unequal weights w leave
    (Σw²)²/Σw⁴ - 1. Clusters that are not normal leave 2G/(2 + excess kurtosis); because symmetric ones do no harm to
    a t interval, at most twice the squared skewness counts as excess (in an exponential family of rates it is 1 to 2
    times that).
    """
    weights, scores, count = found.weights, found.scores, np.maximum(found.clusters, 1)
    heavy = (weights**4).sum(-1)
    equal = np.maximum((weights**2).sum(-1) ** 2 / np.where(heavy > 0, heavy, 1) - 1, 1)
    variance = (scores**2).sum(-1) / count
    safe, few = np.where(variance > 0, variance, 1), count < 4
    m = np.where(few, 4, count)
    skewness = (scores**3).sum(-1) / count / safe**1.5 * np.sqrt(m * (m - 1)) / (m - 2)
    kurtosis = (m - 1) / ((m - 2) * (m - 3)) * ((m + 1) * ((scores**4).sum(-1) / count / safe**2 - 3) + 6)
    excess = np.minimum(np.maximum(kurtosis, 0), 2 * skewness**2)
    skewed = np.where(few, equal, np.minimum(np.maximum(2 * m / (2 + excess), LEAST), equal))
    return np.where(found.single, np.inf, equal), np.where(found.single, np.inf, skewed)


def quantile(confidence: float, df: Array | float) -> Array:
    """Of Student's t; the sides of an interval are as many standard errors away."""
    return np.asarray(stdtrit(df, (1 + confidence) / 2))


def spread(found: Mean, confidence: float, least: bool = True) -> tuple[Array, Array, Array]:
    """Squared half-widths of the independent part and of the rest on a linear scale, and degrees of freedom of both.

    Each part of the variance has a t quantile of its own, and their mean, weighted by the parts, is that of the whole
    (Cochran 1964, Approximate significance levels of the Behrens-Fisher test): the quantile of pooled degrees of
    freedom would be smallest where chance made the part with few of them small.
    With several runs the variance is that of Obuchowski and Rockette (1995): what runs differ by, over their number,
    with one degree of freedom less than runs, plus what prompts add to all runs alike.

    Parameters
    ----------
    least : whether clusters add nothing where their variance is below that of independent items
    """
    equal, skewed = degrees(found)
    inner = found.independent
    outer = np.where(found.single | least, found.between, jackknife(found) - inner)
    apart = np.asarray(found.between_runs)
    alike = np.maximum(inner + outer + found.training - apart, 0) if found.runs > 1 else inner + outer
    first = np.clip(inner, 0, alike)
    parts = ((first, equal), (alike - first, skewed), (apart, max(found.runs - 1, 1)))
    whole = alike + apart
    shares = [(part / np.where(whole > 0, whole, 1), own) for part, own in parts]
    with np.errstate(divide="ignore"):
        df = np.where(whole > 0, 1 / sum(share / own for share, own in shares), equal)
    widened = sum(share * quantile(confidence, own) for share, own in shares) ** 2
    return widened * first, widened * (whole - first), df


def interval(found: Mean, bounds: tuple[float, float], confidence: float) -> tuple[Array, Array, Array]:
    """Score interval of a mean of values between `bounds`, and its degrees of freedom.

    The variance is a function of the mean u (on the scale from 0 to 1): a u(1 - u) for independent items, which alone
    gives Wilson's interval, plus b (u(1 - u))² for clusters, which is that of a random effect on the log-odds (Williams
    1982, Extra-binomial variation in logistic linear models, model III). a and b are what the sample gives. Where no
    item differs, a is one over the number of items. One cluster says nothing about others: the interval is everything.
    """
    span = bounds[1] - bounds[0]
    u = np.clip((found.value - bounds[0]) / span, 0, 1)
    inner, outer, df = spread(found, confidence)
    binomial = u * (1 - u)
    safe = np.where(binomial > 0, binomial, 1)
    nothing = quantile(confidence, df) ** 2 / np.maximum(found.n, 1)
    a = np.where(inner > 0, inner / span**2 / safe, nothing)
    b = outer / span**2 / safe**2

    def half(x: Array) -> Array:
        return np.asarray(np.sqrt(a * x * (1 - x) + b * (x * (1 - x)) ** 2))

    low = root(lambda x: x - u + half(x), np.zeros_like(u), u)
    high = root(lambda x: x - u - half(x), u, np.ones_like(u))
    alone = (found.clusters < 2) & (found.n > 1)
    low = np.where(alone | (u == 0), 0, low)
    high = np.where(alone | (u == 1), 1, high)
    return bounds[0] + span * low, bounds[0] + span * high, df


def difference(found: Mean, moved: Array, span: float, confidence: float) -> tuple[Array, Array, Array]:
    """Score interval of a mean of paired differences, and its degrees of freedom.

    Tango's (1998, Equivalence test and confidence interval for the difference in proportions for the paired-sample
    design), with the number of pairs that would give the variance found; that of the items where none differs.

    Parameters
    ----------
    moved : mean over languages of the differences without their sign, (...)
    span : largest difference that there can be
    """
    d, moved = found.value / span, moved / span
    inner, outer, df = spread(found, confidence, least=False)
    width = (inner + outer) / span**2
    nothing = quantile(confidence, df) ** 2 / np.maximum(found.n, 1)
    # The squared quantile over the effective number of pairs.
    per_pair = np.where(width > 0, width / np.where(width > 0, moved - d**2, 1), nothing)
    up, down = (moved + d) / 2, (moved - d) / 2
    high = root(lambda x: x - d - np.sqrt(per_pair * restricted(x, up, down)), d, np.ones_like(d))
    low = -root(lambda x: x + d - np.sqrt(per_pair * restricted(x, down, up)), -d, np.ones_like(d))
    alone = (found.clusters < 2) & (found.n > 1)
    return span * np.where(alone, -1, low), span * np.where(alone, 1, high), df


def restricted(x: Array, up: Array, down: Array) -> Array:
    """Tango's variance of one pair where the difference is `x` and shares `up` and `down` of the pairs differ."""
    b, c = -up - down + (2 - up + down) * x, -down * x * (1 - x)
    lost = (np.sqrt(np.maximum(b**2 - 8 * c, 0)) - b) / 4
    return np.asarray(np.maximum(2 * lost + x * (1 - x), 0))


def root(function: Callable[[Array], Array], low: Array, high: Array, steps: int = 50) -> Array:
    """Where a function crosses 0 upwards between two numbers, element by element; an end where it does not.

    It may be 0 at the ends themselves, where the variance of a rate is.
    """
    for _ in range(steps):
        middle = (low + high) / 2
        below = function(middle) < 0
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray((low + high) / 2)


def detectable(low: Array, high: Array, df: Array, confidence: float, power: float = 0.8) -> Array:
    """The smallest true difference that would be found at this `power`, with the width of this interval.

    Sum of the quantiles for the level and for the power, times the standard error, which is half the interval's width
    over the first of them (Bloom 1995, Minimum detectable effects).
    """
    level = quantile(confidence, df)
    return np.asarray((level + stdtrit(df, power)) * (high - low) / 2 / level)
