"""Claims as data: each is tested on our numbers and, where the published table suffices, on those."""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from refuseu.analysis import linguistic_distance
from refuseu.analysis.cells import pick
from refuseu.analysis.estimates import mantel, permutation_p, scopes
from refuseu.analysis.metrics import ALL_SEEDS, SCORES
from refuseu.analysis.published import ORDER_UNCERTAIN, PUBLISHED_BASES, mirrored, published_names
from refuseu.analysis.runs import Models, bases
from refuseu.analysis.verdict import (
    HELD,
    NOT_HELD,
    NOT_TESTED,
    UNDECIDED,
    Estimate,
    cells_of,
    check_of,
    decide,
    minus,
    of_row,
    over_seeds,
)
from refuseu.languages import Groups
from refuseu.schemas import read_yaml

ALL_BASES = "all bases"
Cell = tuple[str, str, str]  # measure, benchmark, variant
PLAIN = (*SCORES, "accuracy", "asr_variance", "pag")  # printed as they are, not in percent


@dataclass(frozen=True)
class Finding:
    """A verdict, and the estimates behind it; none where nothing could be tested."""

    verdict: str
    estimates: Sequence[Estimate] = ()


@dataclass(frozen=True)
class Tested:
    """A claim for one base, tested on our numbers and on the published ones.

    Attributes
    ----------
    main : whether it is one of those that matter most
    mirrored : the same on the other reading of the published numbers, where the order of their columns is uncertain
    """

    id: str
    sentence: str
    source: str
    base: str
    main: bool
    ours: Finding
    published: Finding
    mirrored: Finding | None = None


@dataclass(frozen=True)
class Evidence:
    """The numbers that claims are tested on, ours or published, as rows of the same columns.

    Attributes
    ----------
    called : what a reader calls a variant
    """

    metrics: pd.DataFrame
    comparisons: pd.DataFrame
    bases: Sequence[str]
    groups: Groups
    trained_on: Mapping[str, Sequence[str]]
    distances: Mapping[str, Mapping[str, str]]
    called: Callable[[str], str]
    confidence: float
    resamples: int
    seed: int


def read(path: str | Path) -> list[dict[str, Any]]:
    """The claims of a file, checked against the schema."""
    found: list[dict[str, Any]] = read_yaml(path, "claims", "restore it")
    return found


def verdicts(
    claims: Iterable[Mapping[str, Any]],
    metrics: pd.DataFrame,
    comparisons: pd.DataFrame,
    published: pd.DataFrame,
    models: Models,
    groups: Groups,
    trained_on: Mapping[str, Sequence[str]],
    distances: Mapping[str, Mapping[str, str]],
    statistics: Mapping[str, Any],
    called: Callable[[str], str],
) -> list[Tested]:
    """Every claim for every base that it is about; once more where the paper's figures are of a base not ours.

    Parameters
    ----------
    published : what `published.read_published` returned
    trained_on : model → codes of its training languages
    distances : what `linguistic_distance.read` returned
    statistics : confidence, resamples (also of the permutation test) and seed
    called : what a reader calls a variant
    """
    shared = (
        bases(models),
        groups,
        trained_on,
        distances,
        called,
        *(statistics[k] for k in ("confidence", "resamples", "seed")),
    )
    ours = Evidence(metrics, comparisons, *shared)
    theirs = Evidence(as_points(published), differences(published), *shared)
    other = mirrored(published)
    mirror = Evidence(as_points(other), differences(other), *shared)
    uncertain = set(published.loc[published["certainty"] == ORDER_UNCERTAIN, "base"])
    rows = []
    for claim in claims:
        own = dict.fromkeys(bases_of(claim, bases(models)), (claim["checks"], claim["checks"]))
        if "published" in claim:
            own[claim["published"]["base"]] = ((), claim["published"]["checks"])
        for base, (checks, published_checks) in own.items():
            findings = [evaluate(checks, base, ours), evaluate(published_checks, base, theirs)]
            if base in uncertain and findings[1].estimates:
                findings.append(evaluate(published_checks, base, mirror))
            main = claim.get("main", False)
            rows.append(Tested(claim["id"], claim["sentence"], claim["source"], base, main, *findings))
    return rows


def bases_of(claim: Mapping[str, Any], ours: Sequence[str]) -> list[str]:
    """The bases that a claim is about: all, those that the paper names, or all of them together."""
    if any(one["test"] == "between_bases" for one in claim["checks"]):
        return [ALL_BASES]
    names = published_names(ours)
    return [base for base in ours if "bases" not in claim or base in [names.get(theirs) for theirs in claim["bases"]]]


def evaluate(checks: Iterable[Mapping[str, Any]], base: str, evidence: Evidence) -> Finding:
    """The verdict over all checks for one base, and the numbers behind it."""
    listed = list(checks)
    found = [TESTS[one["test"]](one, base, evidence) for one in listed]
    cells = cells_of(found)
    each = zip(listed, found, strict=True)
    parts = [decide(estimates, check_of(one), evidence.confidence, cells) for one, estimates in each]
    if all(part == NOT_TESTED for part in parts):
        return Finding(NOT_TESTED)
    behind = [estimate for estimates in found for estimate in estimates]
    if NOT_HELD in parts:
        return Finding(NOT_HELD, behind)
    return Finding(HELD if all(part == HELD for part in parts) else UNDECIDED, behind)


def level(one: Mapping[str, Any], base: str, evidence: Evidence) -> list[Estimate]:
    """The measure itself, for every measure, benchmark and variant."""
    return list(estimates(one, base, evidence.metrics, evidence).values())


def difference(one: Mapping[str, Any], base: str, evidence: Evidence) -> list[Estimate]:
    """Run minus reference, paired by prompt."""
    return list(differences_of(one, base, evidence).values())


def differences_of(one: Mapping[str, Any], base: str, evidence: Evidence) -> dict[Cell, Estimate]:
    return estimates(one, base, evidence.comparisons, evidence, reference=one["reference"])


def contrast(one: Mapping[str, Any], base: str, evidence: Evidence) -> list[Estimate]:
    """Run minus reference from the measures of both, for what is no mean over prompts and cannot be paired."""
    ours = estimates(one, base, evidence.metrics, evidence)
    theirs = estimates({**one, "variants": [one["reference"]]}, base, evidence.metrics, evidence)
    apart = {cell: theirs[cell[0], cell[1], one["reference"]] for cell in ours}
    return [minus(found, apart[cell], f"{found.of} minus {apart[cell].of}") for cell, found in ours.items()]


def between_bases(one: Mapping[str, Any], base: str, evidence: Evidence) -> list[Estimate]:
    """The difference of what stands for the paper's smaller base minus that of its larger one, measure by measure."""
    ours = published_names(evidence.bases)
    if len(ours) < len(PUBLISHED_BASES):
        return []
    smaller, larger = (ours[theirs] for theirs in PUBLISHED_BASES)
    first, second = (differences_of(one, base, evidence) for base in (smaller, larger))
    names = f"{smaller} minus {larger}"
    return [minus(found, second[cell], f"{found.of}, {names}") for cell, found in first.items()]


def transfer(one: Mapping[str, Any], base: str, evidence: Evidence) -> list[Estimate]:
    """Mantel's correlation of change from the base with distance of the languages (positive: near helps more).

    Runs with the plain loss on one language each; change is the measure minus the abliterated base's,
    so that languages which are hard for every run do not count. There is no interval: the p is that of
    permutations, and a verdict needs it to be as small on its side as the error of an interval there.
    """
    single = {model: codes[0] for model, codes in evidence.trained_on.items() if len(codes) == 1}
    table = pick(evidence.metrics, base=base, metric=one["metrics"][0], benchmark=one["benchmarks"][0])
    trained = table.assign(trained=table["model"].map(single))[~table["method"].str.contains("+", regex=False)]
    matrix = trained.groupby(["trained", "language"])["value"].mean(skipna=False).unstack()
    plain = pick(table, variant="abliterated").groupby("language")["value"].mean(skipna=False)
    known = set(matrix.index) & set(matrix.columns) & set(plain.index) & set(evidence.distances)
    codes = [code for code in scopes(evidence.groups)["all"] if code in known]
    if len(codes) < 4:
        return []
    change = (matrix.loc[codes, codes] - plain[codes]).to_numpy(float)
    distance = linguistic_distance.matrix(one["distance"], [evidence.distances[code] for code in codes])
    r, drawn = mantel(change, distance, evidence.resamples, evidence.seed)
    p = permutation_p(r, drawn)
    missing = int(np.isnan(change[~np.eye(len(codes), dtype=bool)]).sum())
    over = f"{len(codes)} languages" + (f", {missing} of their pairs missing" if missing else "")
    return [Estimate(f"{over}, one-sided p = {p:.3f}, Mantel’s r", r, r, r, p=p)]


TESTS = {
    "level": level,
    "difference": difference,
    "contrast": contrast,
    "between_bases": between_bases,
    "transfer": transfer,
}


def estimates(
    one: Mapping[str, Any], base: str, table: pd.DataFrame, evidence: Evidence, **where: str
) -> dict[Cell, Estimate]:
    """Measure, benchmark and variant → its estimate over all training seeds; a missing one where nothing matches."""
    found = {}
    for metric in one["metrics"]:
        benchmarks = on(one, metric, table)
        for benchmark, variant in itertools.product(benchmarks or [""], one["variants"]):
            chosen = {"metric": metric, "benchmark": benchmark, "variant": variant, "language": one["language"]}
            rows = pick(table, base=base, **chosen, **where)
            called = evidence.called
            words = [called(variant), *(["minus", called(where["reference"])] if where else [])]
            words += [metric] * (len(one["metrics"]) > 1) + [benchmark] * (len(benchmarks) > 1)
            unit = "" if metric in PLAIN else " points" if where else " %"
            found[metric, benchmark, variant] = one_of(rows, " ".join(words), unit, evidence.confidence)
    return found


def one_of(rows: pd.DataFrame, of: str, unit: str, confidence: float) -> Estimate:
    """The estimate over all seeds where there is one, else that of the one run, or of the runs together."""
    whole, runs = rows[rows["seed"] == ALL_SEEDS], rows[rows["seed"] != ALL_SEEDS]
    seeds = len(runs) if (runs["seed"] != "").any() else None
    found = [of_row(row, of, unit, seeds) for _, row in (runs if whole.empty else whole).iterrows()]
    if not found:
        return Estimate(of)
    return found[0] if len(found) == 1 else over_seeds(found, confidence)


def on(one: Mapping[str, Any], metric: str, table: pd.DataFrame) -> list[str]:
    """The benchmarks that a check names, or else all that have the measure."""
    return one.get("benchmarks") or list(table.loc[table["metric"] == metric, "benchmark"].unique())


def as_points(published: pd.DataFrame) -> pd.DataFrame:
    """Published numbers as rows of ``metrics.csv``: no interval was published, so both ends are the value."""
    return published.assign(ci_low=published["value"], ci_high=published["value"], seed="", method="", model="")


def differences(published: pd.DataFrame) -> pd.DataFrame:
    """Published numbers as rows of ``comparisons.csv``."""
    points = as_points(published)
    keys = ["benchmark", "base", "language", "metric"]
    both = points.merge(points[[*keys, "variant", "value"]], on=keys, suffixes=("", "_of_reference"))
    both = both.rename(columns={"variant_of_reference": "reference"})
    value = both["value"] - both["value_of_reference"]
    return both.assign(value=value, ci_low=value, ci_high=value)
