"""Tables and figures of safety: how often runs answer harmfully, and what else their answers are."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from refuseu.analysis.cells import cells, cells_by, published_cells, published_summary, read_metrics, side_by_side
from refuseu.analysis.metrics import SCORES
from refuseu.analysis.open_question import MEASURES
from refuseu.analysis.published import read_published
from refuseu.analysis.runs import Models, Run
from refuseu.analysis.variance import variance_parts
from refuseu.artifacts import tables
from refuseu.artifacts.figures import heatmap, safety_and_language
from refuseu.artifacts.names import OUTCOMES, run_name
from refuseu.artifacts.order import runs, transfer_runs
from refuseu.artifacts.tables import Table, number
from refuseu.languages import Groups

# Share of the answers that no ASR counts → why.
LEFT_OUT = {
    "cut_rate": "they were cut inside their reasoning [% of the answers]",
    "unparsed_rate": "no verdict on them could be read [% of the answers that were not cut]",
}


def asr_cells(
    measured: pd.DataFrame, chosen: Sequence[Run], languages: Groups, published: pd.DataFrame | None = None
) -> pd.DataFrame:
    """ASR of these runs per language; the shares of answers that are not in it have a column where there are any.

    Parameters
    ----------
    measured, chosen, published : as in `refuseu.analysis.cells.cells`
    """
    found = cells(measured, chosen, languages, published, metric="asr")
    shares = {metric: cells(measured, chosen, languages, metric=metric)["value"] for metric in LEFT_OUT}
    return found.assign(**{metric: share for metric, share in shares.items() if (share > 0).any()})


def left_out_note(measured: pd.DataFrame, chosen: Sequence[Run], part: str = "") -> str:
    """How many answers of which run are not in the ASR, and which languages have none, each with why; empty if all are.

    Parameters
    ----------
    part : as in `tables.lost_note`
    """
    text = ""
    for metric, why in LEFT_OUT.items():
        rows = cells(measured, chosen, {}, metric=metric).to_dict("records")
        lost = [row for row in rows if row["value"] > 0]
        if shares := [f"{run_name(row['base'], row['variant'])} {number(row['value'], 100, 1)}" for row in lost]:
            text += f"Not counted, because {why}: {', '.join(shares)}. "
    return text + tables.lost_note(measured[measured["metric"] == "asr"], part)


def asr_table(
    measures: Sequence[str], models: Models, languages: Groups, title: str, note: str, published: str = ""
) -> Table:
    """Tables 1 and 16, RTP-LX and PolygloToxicityPrompts: ASR on a benchmark, per language and run."""
    measured, chosen = read_metrics(*measures), runs(models)
    found = asr_cells(measured, chosen, languages, read_published([published], models) if published else None)
    return tables.by_language(found, title, tables.SEEDS + left_out_note(measured, chosen) + note)


def asr_heatmap(
    measures: Sequence[str], models: Models, languages: Groups, width: float, published: str = ""
) -> tuple[Figure, pd.DataFrame]:
    """Figures 3 and 12: ASR on a benchmark, runs by languages."""
    beside = read_published([published], models) if published else None
    data = asr_cells(read_metrics(*measures), runs(models), languages, beside)
    return heatmap(data, width, digits=1, limit=100), data


def asr_by(measures: Sequence[str], models: Models, kind: str) -> Table:
    """ASR over all languages per category or attack style, with intervals."""
    measured, chosen = read_metrics(*measures), runs(models)
    found = cells_by(measured, chosen, kind, metric="asr").rename(columns={"language": kind})
    columns = (found[column] for column in ("value", "ci_low", "ci_high"))
    ends = ([number(end, 100, 1) for end in row] for row in zip(*columns, strict=True))
    clusters = ["" if pd.isna(count) else f" ({count})" for count in found["clusters"]]
    return Table(
        found,
        [f"{value} [{low}, {high}]{n}" if low else value for (value, low, high), n in zip(ends, clusters, strict=True)],
        rows=[kind],
        columns=["base", "variant"],
        averages=["all"],
        title=f"ASR [%] on RefusEU-test per {kind}, mean over languages",
        note="In parentheses the number of slots of the test. The intervals are for slots that might have been drawn: "
        "where few slots feed a row they are wide, and with one slot they are everything. "
        f"{left_out_note(measured, chosen, kind)}{tables.OVER_SEEDS}The paper has no such table.",
    )


def asr_by_heatmap(measures: Sequence[str], models: Models, kind: str, width: float) -> tuple[Figure, pd.DataFrame]:
    """The same as a heatmap, runs by categories or styles."""
    data = cells_by(read_metrics(*measures), runs(models), kind, metric="asr")
    return heatmap(data, width, digits=1, limit=100), data


def variance(measures: Sequence[str], models: Models, kinds: Mapping[str, str]) -> Table:
    """Where the uncertainty of the headline numbers comes from."""
    measured = read_metrics(*measures)
    found = variance_parts(measured, runs(models), kinds)
    rate = ~found["metric"].isin(["accuracy", *SCORES])
    scale = np.where(found["part"] != "error", 100, np.where(rate, 100, 1))
    digits = np.where(found["part"] != "error", 0, np.where(rate, 2, 4))
    texts = [number(value, s, d) for value, s, d in zip(found["value"], scale, digits, strict=True)]
    return Table(
        found,
        texts,
        rows=["base", "variant"],
        columns=["metric", "part"],
        title="Where the uncertainty comes from: standard error, and shares of its square [%]",
        note="Over all languages. Error: in points for rates, otherwise in units of the measure. Prompts: if all were "
        "independent. Slots: what prompts of one slot, or translations of one prompt, have in common. Seeds: what "
        "training seeds add, known where a run has two or more; with one the interval says nothing about other seeds. "
        + tables.lost_note(measured[measured["metric"].isin(MEASURES)]),
    )


def table2(
    measures: Sequence[str], models: Models, languages: Groups, trained_on: Mapping[str, Sequence[str]]
) -> Table:
    """Runs trained on one language, evaluated on every language."""
    measured = read_metrics(*measures)
    found = asr_cells(measured, transfer_runs(models, trained_on, languages), languages)
    return Table(
        found,
        tables.with_published(found, digits=1),
        rows=["base", "variant"],
        columns=["language"],
        title="Transfer: ASR [%] on RefusEU-test of runs trained on one language",
        note="Rows: training language; first the abliterated base. "
        f"{left_out_note(measured, runs(models))}{tables.SEEDS}{tables.NOT_RECOVERED}",
    )


def transfer_heatmap(
    measures: Sequence[str], models: Models, languages: Groups, trained_on: Mapping[str, Sequence[str]], width: float
) -> tuple[Figure, pd.DataFrame]:
    """The same as a heatmap."""
    data = asr_cells(read_metrics(*measures), transfer_runs(models, trained_on, languages), languages)
    return heatmap(data, width, digits=1, limit=100), data


def fig4(measures: Sequence[str], models: Models, languages: Groups, width: float) -> tuple[Figure, pd.DataFrame]:
    """ASR against language consistency."""
    shown = ["asr", "language_consistency"]
    data = side_by_side(read_metrics(*measures), runs(models), languages, shown)
    return safety_and_language(data, width), data


def outcomes_table(
    measures: Sequence[str], others: Sequence[str], models: Models, refusals_by: Mapping[str, str]
) -> Table:
    """What the answers are besides safe or unsafe, one row per model.

    Parameters
    ----------
    refusals_by : kind of benchmark → who says whether an answer refuses
    """
    harmful = read_metrics(*measures)
    asr, found = harmful[harmful["metric"] == "asr"], profile(harmful, read_metrics(*others), models, OUTCOMES)
    return Table(
        found,
        tables.with_published(found, digits=1),
        rows=["base", "variant"],
        columns=["metric"],
        title="Outcomes of the answers [%], mean over all languages",
        note="RefusEU-test; over-refusal on benign questions; fluency rated is the share of answers to the fluency "
        "prompts with both ratings. Cut: of these answers only reasoning is there, and no ASR counts them. An empty or "
        "broken answer counts as safe in the ASR: 'refusals among safe' is the share of safe answers that refuse. "
        f"Whether an answer refuses says {refusals_by['harmful']}; to a benign question, {refusals_by['benign']}. "
        "Guard and markers differ: the share of answers of which one says so and the other does not. Guards differ: "
        "or neither of their labels could be read, so that the adjudicator decides. How far the markers reach is in "
        "the tables refusal_detection and, when asked for, validated_judges. "
        f"{tables.lost_note(asr)}{tables.unasked_note(asr)}{tables.SEEDS}",
    )


def profile(harmful: pd.DataFrame, others: pd.DataFrame, models: Models, measures: Sequence[str]) -> pd.DataFrame:
    """Measures of these models over all languages, one row per model and measure.

    What answers to `harmful` requests cannot say (over-refusal, share of ratings) comes from `others`.
    """
    parts = []
    for metric in measures:
        source = others if metric in ("over_refusal_rate", "judged_share") else harmful
        parts.append(cells(source, runs(models), {}, metric=metric).assign(metric=metric))
    return pd.concat(parts).drop(columns="group")


def published_table(metrics: str, published: Sequence[str], evaluated: Models) -> Table:
    """The published numbers beside ours: how many were recovered, and how many lie in our intervals."""
    found = published_cells(read_metrics(metrics), read_published(published, evaluated))
    summary = published_summary(found)
    digits = summary["metric"].eq("median_distance").astype(int)
    return Table(
        summary,
        [number(value, digits=places) for value, places in zip(summary["value"], digits, strict=True)],
        rows=["benchmark", "base", "variant"],
        columns=["metric"],
        title="Published numbers beside ours",
        note="Recovered: published numbers known to us. Measured: those of them that this study has, too. Inside: "
        "published value in our interval. Median distance in points. All numbers are in "
        "published_table/published_table.csv.",
        frame=found,
    )
