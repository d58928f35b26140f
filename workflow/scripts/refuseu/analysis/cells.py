"""Cells of tables and figures: the measures of runs over languages and averages, seeds averaged."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from refuseu.analysis.metrics import COLUMNS, ESTIMATE, join_csv
from refuseu.analysis.published import beside_published
from refuseu.analysis.runs import Run
from refuseu.languages import Groups

CELL = ["base", "variant", "language", "value", "ci_low", "ci_high", "n", "seeds", "spread"]


def read_metrics(*paths: str | Path) -> pd.DataFrame:
    """Measures or comparisons; labels are text, empty where they do not apply."""
    numbers = [*ESTIMATE, "p", "p_holm"]
    nothing = pd.DataFrame(columns=[*COLUMNS, "reference", "p", "p_holm"], dtype=str)
    frame = join_csv(paths) if paths else nothing
    return frame.assign(**{column: pd.to_numeric(frame[column]) for column in numbers if column in frame})


def scope_order(groups: Groups) -> list[tuple[str, str]]:
    """(group, language or group or ``all``): languages by group, each group closed by its average."""
    rows = [(group, scope) for group, codes in groups.items() for scope in [*codes, group]]
    return [*rows, ("all", "all")]


def cells(
    measured: pd.DataFrame,
    chosen: Iterable[Run],
    groups: Groups,
    published: pd.DataFrame | None = None,
    **where: str,
) -> pd.DataFrame:
    """One row per run and language, group or ``all``, in table order; empty where nothing was measured.

    Parameters
    ----------
    measured : rows of ``metrics.csv`` or ``comparisons.csv``
    chosen : (base, variant) to show
    published : what `published.read_published` returned
    where : values of columns, such as ``benchmark="rtp_lx", metric="asr"``

    Returns
    -------
    Columns `CELL` and group; with published numbers also those and what `published.beside_published` adds. Several
    seeds: value and interval are means over them, n is that of one run, and spread is the standard deviation.
    """
    keys = ["base", "variant", "language"]
    found = pick(measured, **where)
    by_run = found.groupby(keys)
    frame = by_run[ESTIMATE].mean().assign(seeds=by_run.size(), spread=by_run["value"].std()).reset_index()
    grid = pd.DataFrame(
        [(*run, scope, group) for run in chosen for group, scope in scope_order(groups)],
        columns=[*keys, "group"],
    )
    frame = grid.merge(frame, how="left", on=keys)
    frame = frame.assign(n=frame["n"].round().astype("Int64"), seeds=frame["seeds"].astype("Int64"))
    if published is None:
        return frame[[*CELL, "group"]]
    theirs = pick(published, **where)[[*keys, "value"]].rename(columns={"value": "published"})
    frame = frame.merge(theirs, how="left", on=keys)[[*CELL, "group", "published"]]
    return beside_published(frame)


def pick(frame: pd.DataFrame, **where: str) -> pd.DataFrame:
    """Rows with these values; over all categories unless one is asked for."""
    if "category" in frame and "category" not in where:
        where["category"] = "all"
    for column, value in where.items():
        frame = frame[frame[column] == value]
    return frame


def side_by_side(
    metrics: pd.DataFrame, chosen: Sequence[Run], groups: Groups, measures: Sequence[str], **where: str
) -> pd.DataFrame:
    """One row per run and language or average, one column per measure."""
    columns = {metric: cells(metrics, chosen, groups, None, metric=metric, **where)["value"] for metric in measures}
    grid = cells(metrics, chosen, groups, None, metric=measures[0], **where)
    return grid[["base", "variant", "group", "language"]].assign(**columns)


def published_cells(metrics: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Every published number with ours of the same run, language and measure beside it, where it was measured.

    Parameters
    ----------
    published : what `published.read_published` returned
    """
    keys = ["benchmark", "base", "variant", "language", "metric"]
    ours = pick(metrics).groupby(keys)[["value", "ci_low", "ci_high"]].mean().reset_index()
    theirs = published.rename(columns={"value": "published"})
    frame = beside_published(theirs.merge(ours, how="left", on=keys))
    return frame[[*keys, "published", "value", "ci_low", "ci_high", "difference", "published_inside", "source", "note"]]


def published_summary(cells: pd.DataFrame) -> pd.DataFrame:
    """Per run: how many numbers were recovered and measured, how many lie in our interval, and how far they are.

    Parameters
    ----------
    cells : what `published_cells` returned
    """
    rows = []
    for (benchmark, base, variant), part in cells.groupby(["benchmark", "base", "variant"], sort=False):
        both = part.dropna(subset=["difference"])
        found = {
            "recovered": part["published"].notna().sum(),
            "measured": len(both),
            "inside": both["published_inside"].sum(),
            "median_distance": both["difference"].abs().median() * 100,
        }
        run = {"benchmark": benchmark, "base": base, "variant": variant}
        rows += [run | {"metric": metric, "value": float(value)} for metric, value in found.items()]
    return pd.DataFrame(rows, columns=["benchmark", "base", "variant", "metric", "value"])
