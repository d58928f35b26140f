"""How wrong judges would have to be for a claim to turn out the other way, where no people judged."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from refuseu.analysis.cells import pick
from refuseu.analysis.claims import bases_of, on
from refuseu.analysis.estimates import scopes
from refuseu.analysis.metrics import ALL_SEEDS
from refuseu.analysis.verdict import HELD, NOT_HELD, UNDECIDED
from refuseu.languages import Groups

COLUMNS = ["claim", "base", "judge", "outcome", "language", "value"]
FINAL = "final"


class Gap(NamedTuple):
    """How far an estimate is from its bound.

    Attributes
    ----------
    short : how far the mean over the languages must rise (positive) or fall to reach the bound; NaN where one of them
        has no verdict that could be read, or nothing was measured
    safe, unsafe : per language, shares of the answers whose verdict is so and keeps the estimate from the bound: of
        the run, or of its reference; NaN where there is none, and no language where nothing was measured
    """

    short: float
    safe: pd.Series
    unsafe: pd.Series

    @property
    def room(self) -> pd.Series:
        """Per language, how far the estimate could move if all these verdicts were wrong."""
        return self.safe.fillna(0) + self.unsafe.fillna(0)


UNMEASURED = Gap(float("nan"), pd.Series(dtype=float), pd.Series(dtype=float))


def needed_errors(
    claims: Iterable[Mapping[str, Any]],
    metrics: pd.DataFrame,
    bases: Sequence[str],
    groups: Groups,
    guards: Sequence[str],
) -> pd.DataFrame:
    """One row per claim about ASR, base, judge and language or ``all``; columns `COLUMNS`.

    Errors are taken at their worst: each helps to overturn the claim. A false alarm and a miss change a rate by
    the share of answers that were judged wrongly, so the shares that are needed follow from the rates alone.

    Parameters
    ----------
    guards : judges whose labels are taken for the verdict, beside the `FINAL` ones

    Returns
    -------
    The outcome of the claim by point estimates, and as value the share of the verdicts which speak for it that would
    have to be wrong: in this language only, or in all of them alike. Above 1 where not even all of them would do, NaN
    where a language does not belong to the claim, and in all where one of them has no verdict that could be read or a
    run or benchmark was not measured; no rows where none was.
    """
    rows = []
    for key, found in deciding(claims, metrics, bases, groups, guards):
        # One check is enough to overturn a claim that held; all that failed must turn for it to hold.
        together = pd.concat([needed(gap) for gap in found], axis=1) if found else pd.DataFrame()
        worst = together.min(axis=1) if key["outcome"] == HELD else together.max(axis=1, skipna=False)
        order = [*(code for codes in groups.values() for code in codes), "all"]
        rows += [{**key, "language": code, "value": worst.get(code, np.nan)} for code in order]
    return pd.DataFrame(rows, columns=COLUMNS)


def deciding(
    claims: Iterable[Mapping[str, Any]],
    metrics: pd.DataFrame,
    bases: Sequence[str],
    groups: Groups,
    guards: Sequence[str],
) -> Iterator[tuple[dict[str, str], list[Gap]]]:
    """(claim, base, judge and outcome; gaps of the checks that make it) per claim, judge and base.

    An estimate that is missing leaves a claim undecided, unless another fails, and there are no gaps then.

    Parameters
    ----------
    claims, metrics, bases, groups, guards : as in `needed_errors`
    """
    for claim, guard in itertools.product(claims, [FINAL, *guards]):
        metric = "asr" if guard == FINAL else f"asr_{guard}"
        for base in bases_of(claim, bases):
            found = list(gaps(claim["checks"], metrics, base, groups, metric))
            if any(gap.safe.size for _, gap in found):
                known = [(above, gap) for above, gap in found if not np.isnan(gap.short)]
                held, whole = all(above for above, _ in known), len(known) == len(found)
                outcome = NOT_HELD if not held else HELD if whole else UNDECIDED
                key = {"claim": claim["id"], "base": base, "judge": guard, "outcome": outcome}
                yield key, [gap for above, gap in known if above == held] if whole else []


def gaps(
    checks: Iterable[Mapping[str, Any]], metrics: pd.DataFrame, base: str, groups: Groups, metric: str
) -> Iterator[tuple[bool, Gap]]:
    """Whether each estimate of the checks on ASR lies beyond its bound, and its distance from it."""
    for one in checks:
        if one["test"] not in ("level", "difference") or one["metrics"] != ["asr"] or "within" in one:
            continue  # of a margin to both sides, errors of either direction could overturn it
        for benchmark, variant in itertools.product(on(one, metric, metrics), one["variants"]):
            where = {"base": base, "benchmark": benchmark, "metric": metric}
            ours = by_seed(pick(metrics, **where, variant=variant))
            theirs = by_seed(pick(metrics, **where, variant=one.get("reference", "")))
            codes = scopes(groups).get(one["language"], [])
            sign, bound = (1, one["above"]) if "above" in one else (-1, one["below"])
            # Several training seeds are one estimate; a trained reference is taken at the seeds that both have.
            both = [(run, theirs.get("", theirs.get(seed))) for seed, run in ours.items()]
            if one["test"] == "difference":
                both = [(run, reference) for run, reference in both if reference is not None]
            if not both:
                yield False, UNMEASURED
                continue
            run, found = over_seeds([run for run, _ in both]), [other for _, other in both if other is not None]
            other = over_seeds(found) if found else np.nan * run
            asked = [code for code in codes if code in run and code in other]
            run, other = run[asked], other[asked]
            short = bound - (run - other if found else run).mean(skipna=False)
            speaking = (1 - run, other) if short > 0 else (1 - other, run)
            yield (sign * short < 0, Gap(short, *speaking)) if run.size else (False, UNMEASURED)


def by_seed(rows: pd.DataFrame) -> dict[str, pd.Series]:
    """Seed → value per language."""
    runs = rows[rows["seed"] != ALL_SEEDS]
    return {str(seed): part.set_index("language")["value"] for seed, part in runs.groupby("seed")}


def over_seeds(runs: Sequence[pd.Series]) -> pd.Series:
    """The mean over seeds of the value per language."""
    return pd.concat(runs, axis=1).mean(axis=1, skipna=False)


def needed(gap: Gap) -> pd.Series:
    """Share of the room that closes the gap: in each language alone, then in ``all`` alike."""
    room = gap.room
    total = abs(gap.short) * room.size
    with np.errstate(divide="ignore"):
        shares: pd.Series = pd.concat([total / room, pd.Series({"all": np.divide(total, room.sum())})])
    return shares


def wrong(gap: Gap, sensitivity: float, specificity: float) -> float:
    """The share of the room that is wrong where a judge has this sensitivity and specificity, in all languages alike.

    Of the answers with a rate q of unsafe verdicts a share p is unsafe, q = p·sensitivity + (1 - p)·(1 - specificity)
    (Rogan and Gladen), so p·(1 - sensitivity) of them were called safe in error and (1 - p)·(1 - specificity) unsafe:
    at least none, and at most all such verdicts. NaN where the judge does no better than chance, or nothing speaks.
    """
    power, alarms = sensitivity + specificity - 1, 1 - specificity
    total = gap.room.sum()
    if not power > 0 or not total:
        return float("nan")
    missed = ((1 - gap.safe - alarms) / power).clip(0, 1) * (1 - sensitivity)
    called = (1 - (gap.unsafe - alarms) / power).clip(0, 1) * alarms
    both = np.minimum(missed, gap.safe).sum() + np.minimum(called, gap.unsafe).sum()
    return float(both / total)
