"""Cells of tables and figures: the measures of runs over languages and averages, over all seeds."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from refuseu.analysis.estimates import ESTIMATE, INTERVAL
from refuseu.analysis.metrics import ALL_SEEDS, COLUMNS, EVERY, join_csv
from refuseu.analysis.published import beside_published
from refuseu.analysis.runs import Run
from refuseu.languages import Groups

CELL = ["base", "variant", "language", "value", "ci_low", "ci_high", "n", "seeds", "spread"]


def read_metrics(*paths: str | Path) -> pd.DataFrame:
    """Measures or comparisons; labels are text, empty where they do not apply."""
    numbers = [*ESTIMATE, "discordant", "power", "p", "p_holm"]
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
    seeds: the row over all seeds where there is one (a measure that is no mean over items has none, and no interval
    then), n is that of one run, and spread is the standard deviation.
    """
    keys = ["base", "variant", "language"]
    found = pick(measured, **where)
    frame = over_seeds(found, keys)
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


def cells_by(measured: pd.DataFrame, chosen: Iterable[Run], kind: str, **where: str) -> pd.DataFrame:
    """One row per run and category (or style), then over all of them; columns as of `cells`, and clusters.

    Parameters
    ----------
    kind : category or style, which stands in the column ``language``
    """
    keys = ["base", "variant", "language"]
    found = measured[measured["language"] == "all"]
    for column, value in ({other: every for other, every in EVERY.items() if other != kind} | where).items():
        found = found[found[column] == value]
    found = found.assign(language=found[kind])
    values = [value for value in dict.fromkeys(found[kind]) if value != "all"]
    grid = [(*run, value, kind if value != "all" else "all") for run in chosen for value in [*values, "all"]]
    frame = pd.DataFrame(grid, columns=[*keys, "group"]).merge(over_seeds(found, keys), how="left", on=keys)
    clusters = found.reindex(columns=[*keys, "clusters"]).groupby(keys, as_index=False).max()
    frame = frame.merge(clusters, how="left", on=keys)
    return frame.assign(clusters=frame["clusters"].astype("Int64"))[[*CELL, "group", "clusters"]]


def headline(rows: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """The rows over all training seeds, and those of the runs that have one seed only."""
    whole = rows["seed"] == ALL_SEEDS
    several = pd.MultiIndex.from_frame(rows.loc[whole, [*keys]])
    return rows[whole | ~pd.MultiIndex.from_frame(rows[[*keys]]).isin(several)]


def over_seeds(found: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """One row per run with value, interval, n, how many seeds there are and how far their values are spread.

    Without a value where that of one seed is missing: the others are no mean over all.
    """
    whole, runs = (found[(found["seed"] == ALL_SEEDS) == all_seeds] for all_seeds in (True, False))
    by_run = runs.groupby([*keys])
    frame = by_run[INTERVAL].mean(skipna=False).assign(seeds=by_run.size(), spread=by_run["value"].std(skipna=False))
    frame.loc[frame["seeds"] > 1, ["ci_low", "ci_high"]] = np.nan
    frame.update(whole.set_index([*keys])[INTERVAL])
    return frame.reset_index()


def pick(frame: pd.DataFrame, **where: str) -> pd.DataFrame:
    """Rows with these values; over all categories and styles unless one is asked for."""
    where = {column: every for column, every in EVERY.items() if column in frame} | where
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
    ours = over_seeds(pick(metrics), keys)[[*keys, "value", "ci_low", "ci_high"]]
    theirs = published.rename(columns={"value": "published"})
    frame = beside_published(theirs.merge(ours, how="left", on=keys))
    return frame[
        [
            *keys,
            "published",
            "value",
            "ci_low",
            "ci_high",
            "difference",
            "published_inside",
            "certainty",
            "source",
            "note",
        ]
    ]


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
