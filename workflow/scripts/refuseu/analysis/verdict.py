"""From estimates to verdicts: what must lie beyond a bound, and how surely."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t

HELD, NOT_HELD, UNDECIDED, NOT_TESTED = "held", "not held", "undecided", "not tested"
Bounds = tuple[float, float]  # what the estimates must lie between, without touching it


@dataclass(frozen=True)
class Estimate:
    """What a check found: a value with its interval, and what it is of, in words. Missing is NaN.

    Attributes
    ----------
    df : degrees of freedom of the interval
    clusters, discordant : how many clusters it rests on, and in how many the two runs differ; None if not known
    power : the smallest true difference that would have been found in four of five studies; None if not known
    seeds : how many training seeds it is the mean over; None if nothing was trained, or is not known
    p : of a test whether the value is above 0, in place of an interval; one-sided
    """

    of: str
    value: float = np.nan
    low: float = np.nan
    high: float = np.nan
    unit: str = ""
    df: float = np.inf
    clusters: int | None = None
    discordant: int | None = None
    seeds: int | None = None
    power: float | None = None
    p: float | None = None

    def between(self, confidence: float, share: float = 1.0) -> Bounds:
        """The interval at an error that is a `share` of the one it has: each side wider, or narrower, as t is."""
        if self.p is not None:
            error = (1 - confidence) / 2 * share
            return (0.0 if self.p > error else np.nextafter(0, 1)), (0.0 if 1 - self.p > error else -np.nextafter(0, 1))
        factor = t.isf((1 - confidence) / 2 * share, self.df) / t.isf((1 - confidence) / 2, self.df)
        return self.value - factor * (self.value - self.low), self.value + factor * (self.high - self.value)


@dataclass(frozen=True)
class Check:
    """What estimates are held against.

    Attributes
    ----------
    bounds : what every value must lie between
    some : whether one of them is enough
    margin : whether the bounds are margins of non-inferiority or equivalence, each tested on one side
    """

    bounds: Bounds
    some: bool = False
    margin: bool = False


def check_of(one: Mapping[str, Any]) -> Check:
    """The bounds of a check in the file of claims."""
    if "within" in one:
        return Check((-one["within"], one["within"]), margin=True)
    bounds = one.get("above", -np.inf), one.get("below", np.inf)
    return Check(bounds, one.get("some", False), one.get("margin", False))


def decide(estimates: Sequence[Estimate], check: Check, confidence: float, cells: int | None = None) -> str:
    """Whether every interval lies between the bounds, or `some` does; touching a bound is neither in nor out.

    That all estimates pass needs no correction (an intersection-union test, Berger 1982); that one of several does, or
    fails, is corrected by Bonferroni over the `cells` of the claim. A margin is passed by one-sided tests at the full
    error (two one-sided tests, Schuirmann 1987). A missing estimate can only leave it undecided.
    """
    found = [estimate for estimate in estimates if not np.isnan(estimate.value)]
    if not found:
        return NOT_TESTED
    complete, cells = len(found) == len(estimates), cells or len(found)
    low, high = check.bounds

    def inside(share: float) -> list[bool]:
        return [low < ends[0] and ends[1] < high for ends in (one.between(confidence, share) for one in found)]

    def outside(share: float) -> list[bool]:
        return [ends[1] < low or high < ends[0] for ends in (one.between(confidence, share) for one in found)]

    if check.some:
        held, failed = any(inside(1 / cells)), complete and all(outside(1))
    else:
        held, failed = complete and all(inside(2 if check.margin else 1)), any(outside(1 / cells))
    return NOT_HELD if failed else HELD if held else UNDECIDED


def minus(a: Estimate, b: Estimate, of: str) -> Estimate:
    """Difference of two estimates.

    The interval combines both intervals by the method of variance estimates recovery (Zou and Donner, 2008), which
    takes the two as independent; its degrees of freedom are the fewer.
    """
    value = a.value - b.value
    low = value - np.hypot(a.value - a.low, b.high - b.value)
    high = value + np.hypot(a.high - a.value, b.value - b.low)
    known = [one for one in (a.clusters, b.clusters) if one is not None]
    discordant = [one for one in (a.discordant, b.discordant) if one is not None]
    return Estimate(
        of, value, low, high, " points" if a.unit else "", min(a.df, b.df), min(known, default=None),
        min(discordant, default=None), min((n for n in (a.seeds, b.seeds) if n is not None), default=None),
    )  # fmt: skip


def over_seeds(found: Sequence[Estimate], confidence: float) -> Estimate:
    """The mean over seeds of a measure that is no mean over items, such as a variance.

    Its interval adds, in squares, the half-width of a t interval over the seeds and the mean half-width of the seeds'
    own intervals: too wide rather than too narrow, because chance among items is in both.
    """
    values = np.array([one.value for one in found])
    count = len(values)
    apart = t.isf((1 - confidence) / 2, count - 1) * values.std(ddof=1) / np.sqrt(count)
    below, above = (np.mean([abs(one.value - end) for one, end in zip(found, ends, strict=True)])
                    for ends in ([one.low for one in found], [one.high for one in found]))  # fmt: skip
    value = float(values.mean())
    return replace(
        found[0], value=value, low=value - float(np.hypot(apart, below)), high=value + float(np.hypot(apart, above)),
        df=count - 1, seeds=count,
    )  # fmt: skip


def of_row(row: pd.Series, of: str, unit: str, seeds: int | None) -> Estimate:
    """An estimate from a row of ``metrics.csv`` or ``comparisons.csv``, or of published numbers."""
    counts = {name: int(row[name]) for name in ("clusters", "discordant") if name in row and not pd.isna(row[name])}
    df = row["df"] if "df" in row and not pd.isna(row["df"]) else np.inf
    power = row["power"] if "power" in row and not pd.isna(row["power"]) else None
    return Estimate(of, row["value"], row["ci_low"], row["ci_high"], unit, df, seeds=seeds, power=power, **counts)


def cells_of(found: Sequence[Sequence[Estimate]]) -> int:
    """How many estimates there are in all checks of a claim."""
    return max(len([one for one in itertools.chain(*found) if not np.isnan(one.value)]), 1)
