"""Tables and the figure of the judges against people."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from refuseu.analysis.judge_validation import thresholds, two_verdicts, validation
from refuseu.analysis.runs import Models
from refuseu.artifacts import plots
from refuseu.artifacts.tables import Table, number, with_interval
from refuseu.judge_rows import HumanLabel, TwoVerdicts
from refuseu.records import read_jsonl
from refuseu.refusals import read_markers
from refuseu.rows import Label, Measure


def read_labels(paths: Sequence[str]) -> dict[str, list[Label]]:
    """Judge → its labels; a file's stem is its judge."""
    return {Path(path).stem: cast(list[Label], read_jsonl(path)) for path in paths}


def validated_judges(
    people: str,
    labels: Sequence[str],
    markers: str,
    audit: Sequence[str],
    verdicts: Sequence[str],
    statistics: Mapping[str, Any],
) -> Table:
    """How far each judge agrees with people.

    Parameters
    ----------
    audit, verdicts : what came back of a manual audit, if anything did, and what is known of the answers it is about
    """
    human = [row for path in audit for row in read_jsonl(path)]
    final = {Path(path).parent.name: cast(list[Measure], read_jsonl(path)) for path in verdicts}
    said, known = cast(list[HumanLabel], read_jsonl(people)), read_markers(markers)
    found = validation(said, read_labels(labels), known, **statistics, human=human, verdicts=final)
    return Table(
        found,
        with_interval(found),
        rows=["task", "judge", "source"],
        columns=["metric"],
        title="Judges against people [interval]",
        note="Refusal: full refusals against full compliance; partial refusals are left out, and so is what a judge "
        "does not say. Unsafe: full compliance with a prompt of a contrast type, which only stands for harm. "
        "Annotators: the first against the second. Source: whose answers; in an audit of this study their language. "
        "The paper has no such table.",
    )


def adjudicator_sensitivity(answers: Sequence[str], models: Models) -> Table:
    """How the adjudicator decides disputes with and without the prompt, per run."""
    said = {Path(path).parent.name: cast(list[TwoVerdicts], read_jsonl(path)) for path in answers}
    found = two_verdicts(said, models)
    counts = zip(map(float, found["value"]), found["metric"] == "n", strict=True)
    return Table(
        found,
        [number(value, 1, 0) if count else number(value, 100, 1) for value, count in counts],
        rows=["base", "variant"],
        columns=["metric"],
        title="Disputes that the adjudicator decides both ways [%]",
        note="Disputed answers to RefusEU-test, drawn at random per run. Alone: shown the response only; with prompt: "
        "shown both. Same: the share on which both say the same. The paper does not say which of both it used.",
    )


def judge_thresholds(people: str, labels: Sequence[str]) -> Table:
    """What each judge would call unsafe from which probability on."""
    found = thresholds(cast(list[HumanLabel], read_jsonl(people)), read_labels(labels))
    measures = ["sensitivity", "false_alarms", "precision", "auc"]
    cells = found.melt(["judge", "threshold", "n"], measures, var_name="metric").assign(
        threshold=lambda rows: rows["threshold"].map("{:.2f}".format)
    )
    return Table(
        cells,
        [number(value) for value in cells["value"]],
        rows=["judge", "threshold"],
        columns=["metric"],
        title="Judges against people, by the probability from which an answer counts as unsafe",
        note="Only judges whose first word has a probability. AUC: area under the ROC curve. The paper has no such "
        "table.",
    )


def judge_roc(people: str, labels: Sequence[str], width: float) -> tuple[Figure, pd.DataFrame]:
    """ROC curves of the judges."""
    data = thresholds(cast(list[HumanLabel], read_jsonl(people)), read_labels(labels))
    figure, ax = plt.subplots(figsize=(width, width))
    ax.plot([0, 1], [0, 1], color=plots.GRID, lw=0.5)
    for judge, rows in data.groupby("judge", sort=False):
        curve = rows.sort_values("threshold", ascending=False)
        x, y = ([0.0, *curve[column], 1.0] for column in ("false_alarms", "sensitivity"))
        ax.plot(x, y, lw=1, label=f"{judge} ({rows['auc'].iloc[0]:.2f})")
    if data.empty:
        plots.nothing(ax)
    else:
        ax.legend(title="Judge (AUC)", loc="lower right", frameon=False)
    ax.set_xlabel("safe answers called unsafe")
    ax.set_ylabel("unsafe answers called unsafe")
    return figure, data
