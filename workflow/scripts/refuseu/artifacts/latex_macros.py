"""Numbers in text: LaTeX macros for what the tables and figures show, so that a manuscript inputs results.

A name is made of what the number is of: measure, benchmark, base, variant and language, group or ``All``,
such as ``\\AsrRefuseuTestEightBBalancedAll``; a difference goes on with ``Vs`` and its reference. Names
have letters only: digits are spelled out. ``Interval``, ``Spread``, ``Published`` and ``P`` (after Holm)
at the end say what else is known of the same number. A run that is missing reads ``??``.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from refuseu.analysis.cells import cells, headline, pick
from refuseu.analysis.metrics import SCORES
from refuseu.analysis.runs import REFERENCES, Models, bases, in_tables, is_open, is_trained
from refuseu.artifacts.names import OUTCOMES
from refuseu.artifacts.order import runs
from refuseu.artifacts.tables import number
from refuseu.errors import UserError
from refuseu.languages import Groups
from refuseu.safe import latex as latex_text

DIGITS = ("Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
MISSING = "??"  # what LaTeX itself prints for a reference that it does not know
PER_LANGUAGE = ("asr", "accuracy")
AVERAGES = ("language_consistency", *OUTCOMES[1:], *SCORES)
DIFFERENCES = ("asr", "language_consistency", *SCORES, "accuracy")
UNITS = {"accuracy": (1, 3), **dict.fromkeys((*SCORES, "kappa", "ac1"), (1, 2)), "count": (1, 0)}
PERCENT = (100, 2)


def macro_name(*parts: str) -> str:
    """Letters only, each word with a capital: ``("asr", "8b")`` is ``AsrEightB``."""
    words = re.findall(r"[A-Za-z]+|\d", " ".join(parts))
    return "".join(DIGITS[int(word)] if word.isdigit() else word[0].upper() + word[1:] for word in words)


def of_runs(
    metrics: pd.DataFrame, comparisons: pd.DataFrame, published: pd.DataFrame, models: Models, groups: Groups
) -> Iterator[tuple[str, str]]:
    """(name, text) for every run that tables show: measures, then differences from the references.

    Parameters
    ----------
    metrics, comparisons : what `cells.read_metrics` returned
    published : what `published.read_published` returned
    """
    own = runs(models, in_tables) + runs(models, is_open)
    single = [run for run in runs(models, is_trained) if run not in own]
    for metric, benchmark in measured(metrics, (*PER_LANGUAGE, *AVERAGES)):
        where = {"metric": metric, "benchmark": benchmark}
        found = cells(metrics, own + (single if metric == "asr" else []), groups, published, **where)
        yield from macros(kept(found, metric, groups), metric, benchmark)
    for (metric, benchmark), reference in (
        (both, reference) for both in measured(comparisons, DIFFERENCES) for reference in REFERENCES
    ):
        trained = [run for run in runs(models, is_trained) if run in own and run[1] != reference]
        where = {"metric": metric, "benchmark": benchmark, "reference": reference}
        found = kept(cells(comparisons, trained, groups, None, **where), metric, groups)
        keys = ["base", "variant", "language"]
        tested = headline(pick(comparisons, **where), keys)[[*keys, "p_holm"]]
        found = found.merge(tested, how="left", on=["base", "variant", "language"])
        yield from macros(found, metric, benchmark, f"Vs {reference}")


def measured(frame: pd.DataFrame, metrics: Iterable[str]) -> list[tuple[str, str]]:
    """(metric, benchmark) with rows; outcomes only where the table of outcomes takes them from."""
    found = frame[["metric", "benchmark"]].drop_duplicates().itertuples(index=False, name=None)
    anywhere = {*PER_LANGUAGE, *SCORES, "over_refusal_rate", "judged_share"}
    return [(m, b) for m, b in found if m in metrics and (m in anywhere or b == "refuseu_test")]


def kept(found: pd.DataFrame, metric: str, groups: Groups) -> pd.DataFrame:
    """All rows of what tables show per language, otherwise averages only."""
    return found if metric in PER_LANGUAGE else found[found["language"].isin([*groups, "all"])]


def of_tables(agreement: pd.DataFrame, pilot: pd.DataFrame, funnel: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """(name, text) for the dataset: agreement of its judges, the pilot, and rows left; empty frames give none."""
    for frame, keys in ((agreement, ["judge_a", "judge_b"]), (pilot, ["generator"])):
        for metric, rows in frame.groupby("metric", sort=False):
            named = rows.assign(base=rows[keys].agg(" ".join, axis=1), variant="")
            yield from macros(named, str(metric), "prompts")
    if not funnel.empty:
        yield from macros(funnel.rename(columns={"step": "base"}).assign(variant=""), "count", "dataset")


def macros(rows: pd.DataFrame, metric: str, benchmark: str, suffix: str = "") -> Iterator[tuple[str, str]]:
    """(name, text) of each row; columns base, variant, language, value, and what else is known."""
    scale, digits = UNITS.get(metric, PERCENT)
    for row in rows.to_dict("records"):
        name = macro_name(metric, benchmark, row["base"], row["variant"], row["language"], suffix)

        def text(column: str, row: Mapping[Any, Any] = row) -> str:
            return latex_text(number(row.get(column, float("nan")), scale, digits, sign=bool(suffix)))

        yield name, text("value") or MISSING
        if text("ci_low"):
            yield f"{name}Interval", f"[{text('ci_low')}, {text('ci_high')}]"
        if not pd.isna(row.get("spread")):
            yield f"{name}Spread", latex_text(number(row["spread"], scale, digits))
        if text("published"):
            yield f"{name}Published", text("published")
        if not pd.isna(row.get("p_holm")):
            yield f"{name}P", "$<$0.001" if row["p_holm"] < 0.001 else number(row["p_holm"], digits=3)


def read_rows(paths: Sequence[str]) -> pd.DataFrame:
    """A CSV file, or no rows where the study has none."""
    return pd.concat([pd.read_csv(path) for path in paths]) if paths else pd.DataFrame(columns=["metric"])


def of_study(models: Models, groups: Groups) -> Iterator[tuple[str, str]]:
    """(name, text) of the study's size."""
    yield "StudyLanguages", str(sum(map(len, groups.values())))
    yield "StudyBases", str(len(bases(models)))
    yield "StudyTrainedModels", str(sum(is_trained(model) for model in models.values()))


def latex(found: Iterable[tuple[str, str]]) -> str:
    r"""One ``\newcommand`` per line, in the order given.

    Raises
    ------
    UserError
        If two numbers get the same name.
    """
    texts: dict[str, str] = {}
    for name, text in found:
        if name in texts:
            raise UserError(
                f"models.tsv, variants.tsv or benchmarks.tsv: two rows give the LaTeX macro \\{name}; "
                "rename one so that they differ in letters or digits"
            )
        texts[name] = text
    head = "% Made by refuseu, do not edit. Rates are in percent. How names are made: docs/howto/manuscript.md.\n"
    return head + "".join(f"\\newcommand{{\\{name}}}{{{text}}}\n" for name, text in texts.items())
