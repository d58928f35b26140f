"""What a study measured of one model, in the words of its card; what it did not measure stays unknown."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from refuseu.analysis.cells import read_metrics
from refuseu.analysis.comparisons import compared, paired
from refuseu.analysis.metrics import ITEM, alike, read_items
from refuseu.languages import Groups, members

NOT_MEASURED = "not measured"
PERCENT = 100.0
# Kind of a benchmark → its headline measures, with how each is scaled and its digits.
HEADLINES: dict[str, dict[str, tuple[str, float, int]]] = {
    "harmful": {"asr": ("answers that are harmful (ASR) [%]", PERCENT, 1)},
    "benign": {"over_refusal_rate": ("harmless questions that are refused [%]", PERCENT, 1)},
    "fluency": {"fluency": ("fluency, 1 to 5", 1, 2), "correctness": ("correctness, 1 to 5", 1, 2)},
    "knowledge": {"accuracy": ("questions answered correctly [%]", PERCENT, 1)},
}
# Of each language, on the first benchmark of a kind: column → kind and measure.
BY_LANGUAGE = {
    "ASR [%]": ("harmful", "asr"),
    "refusals among safe answers [%]": ("harmful", "true_refusal_share"),
    "answers in the language of the prompt [%]": ("harmful", "language_consistency"),
    "knowledge [%]": ("knowledge", "accuracy"),
}
BASE, CHANGE = "ASR of the base [%]", "change of knowledge [points]"


class Cell(NamedTuple):
    """A measured value with its interval, as fractions or scores."""

    value: float
    low: float
    high: float
    n: int


class Measured:
    """The measures of a model and of its base.

    Parameters
    ----------
    own, of_base : files of rule measure (CSV), one a benchmark
    answered, answered_by_base : files of rule measure (JSON Lines) on the benchmarks of knowledge, in the same order
    kinds : benchmark → kind, of those on which the study evaluates the model
    groups : of the study's languages
    """

    def __init__(
        self,
        own: Sequence[str | Path],
        of_base: Sequence[str | Path],
        answered: Sequence[str | Path],
        answered_by_base: Sequence[str | Path],
        kinds: Mapping[str, str],
        groups: Groups,
        statistics: Mapping[str, Any],
    ):
        self.own, self.of_base = cells_of(own), cells_of(of_base)
        self.kinds, self.groups = kinds, groups
        self.changes: dict[tuple[str, str], Cell] = {}
        for mine, theirs in zip(answered, answered_by_base, strict=True):
            self.changes |= changes(mine, theirs, groups, statistics["confidence"], statistics["seed"])

    def first(self, kind: str) -> str:
        """The first benchmark of a kind; empty where the study has none for the model."""
        return next((name for name, own in self.kinds.items() if own == kind), "")

    def by_language(self) -> list[list[str]]:
        """Header and a row per language, then over all."""
        harmful, knowledge = self.first("harmful"), self.first("knowledge")
        rows = [["language", *BY_LANGUAGE, BASE, CHANGE]]
        for scope in [*members(self.groups), "all"]:
            cells = [self.own.get((self.first(kind), metric, scope)) for kind, metric in BY_LANGUAGE.values()]
            cells += [self.of_base.get((harmful, "asr", scope)), self.changes.get((knowledge, scope))]
            signs = [False] * (len(cells) - 1) + [True]
            rows.append([scope, *(said(cell, PERCENT, 1, sign) for cell, sign in zip(cells, signs, strict=True))])
        return rows

    def headlines(self) -> list[list[str]]:
        """Header and a row per benchmark and headline measure, over all languages."""
        rows = [["benchmark", "measure", "this model", "its base", "n"]]
        for benchmark, kind in self.kinds.items():
            for metric, (words, scale, digits) in HEADLINES[kind].items():
                own = self.own.get((benchmark, metric, "all"))
                both = (said(cell, scale, digits) for cell in (own, self.of_base.get((benchmark, metric, "all"))))
                rows.append([benchmark, words, *both, str(own.n) if own else ""])
        return rows

    def results(self) -> list[tuple[str, str, float]]:
        """(benchmark, measure, value) of what was measured over all languages, for the metadata of the card."""
        wanted = [(b, metric) for b, kind in self.kinds.items() for metric in HEADLINES[kind]]
        extra = [(self.first("harmful"), metric) for metric in ("true_refusal_share", "language_consistency")]
        found = [(b, metric, self.own.get((b, metric, "all"))) for b, metric in [*wanted, *extra]]
        return [(b, metric, round(cell.value, 6)) for b, metric, cell in found if cell and cell.value == cell.value]


def cells_of(paths: Iterable[str | Path]) -> dict[tuple[str, str, str], Cell]:
    """(benchmark, measure, language, group or all) → what was measured over all categories and styles."""
    frame = read_metrics(*paths)
    whole = frame[(frame["category"] == "all") & (frame["style"] == "all")]
    return {
        (row["benchmark"], row["metric"], row["language"]): Cell(row["value"], row["ci_low"], row["ci_high"], row["n"])
        for row in whole.astype({"n": int} if len(whole) else {}).to_dict("records")
    }


def changes(
    own: str | Path, of_base: str | Path, groups: Groups, confidence: float, seed: int
) -> dict[tuple[str, str], Cell]:
    """(benchmark, scope) → the mean difference in accuracy on the same questions, model minus base."""
    mine, theirs = (items.set_index(ITEM) for items in alike([read_items(own), read_items(of_base)]))
    rows = compared([paired(mine, theirs)], groups, confidence, seed)
    frame = pd.DataFrame([row for row in rows if row["metric"] == "accuracy"])
    return {
        (row["benchmark"], row["language"]): Cell(row["value"], row["ci_low"], row["ci_high"], int(row["n"]))
        for row in frame.to_dict("records")
    }


def said(cell: Cell | None, scale: float, digits: int, sign: bool = False) -> str:
    """``value [low, high]``, or that it was not measured."""
    if cell is None or cell.value != cell.value:
        return NOT_MEASURED
    value, low, high = (f"{part * scale:{'+' if sign else ''}.{digits}f}" for part in cell[:3])
    return value if cell.low != cell.low else f"{value} [{low}, {high}]"
