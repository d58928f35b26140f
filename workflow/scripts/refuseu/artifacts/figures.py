"""The figures of the study, each from the frame that is saved beside it."""

import itertools
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm, TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from refuseu.analysis.runs import SINGLE
from refuseu.artifacts import plots
from refuseu.artifacts.names import name

CURVES = {
    "loss": "Loss",
    "cosine": "Cosine\n(MLC)",
    "singular_share": "σ₁ share\n(MLC)",
    "reward_accuracy": "Reward\naccuracy",
    "reward_margin": "Reward\nmargin",
}


def heatmap(
    cells: pd.DataFrame,
    width: float,
    scale: float = 100,
    digits: int = 0,
    delta: bool = False,
    limit: float = 0,
) -> Figure:
    """Runs (rows, by base) × languages (columns, by group), the value in every cell.

    Parameters
    ----------
    cells : columns base, variant, group, language, value, one row per cell, in order; with a column
        ``panel`` one map per panel, stacked
    width : inches
    scale, digits : how values are printed
    delta : diverging colours around 0 for changes, otherwise sequential ones that start at 0 on a
        square-root scale, so that small rates differ visibly
    limit : end of the colour scale, after scaling; 0 takes it from the data
    """
    panels = list(dict.fromkeys(cells.get("panel", ()))) or [""]
    line = mpl.rcParams["font.size"] / 72 * 1.9
    rows = max(cells[["base", "variant"]].drop_duplicates().shape[0], 2)
    codes = cells[~cells["language"].isin([*cells["group"], "all"])]
    above = (4.2 if panels[0] else 3.6) + upright(codes) / 1.9
    figure, axes = plt.subplots(len(panels), 1, figsize=(width, len(panels) * (rows + above) * line), squeeze=False)
    values = cells["value"].abs().max() * scale
    limit = limit or (values if values > 0 else 1)
    for ax, panel in zip(axes.flat, panels, strict=True):
        draw_map(ax, cells[cells["panel"] == panel] if panel else cells, scale, digits, delta, limit)
        if panel:
            ax.set_title(name("metric", panel), pad=4 * mpl.rcParams["font.size"])
    return figure


def upright(cells: pd.DataFrame) -> float:
    """How many lines high the labels of columns are if they are turned upright; 0 if they are codes."""
    longest = max(map(len, cells["language"]), default=0)
    return 0.6 * longest if longest > len("S14") else 0.0


def draw_map(ax: Axes, cells: pd.DataFrame, scale: float, digits: int, delta: bool, limit: float) -> None:
    """Draw one heatmap with gaps between bases, groups and averages."""
    runs = list(cells[["base", "variant"]].drop_duplicates().itertuples(index=False, name=None))
    scopes = list(cells[["group", "language"]].drop_duplicates().itertuples(index=False, name=None))
    if cells["value"].isna().all():
        return plots.nothing(ax)
    heads = [name("group", group) if group != "all" else "All" for group, _ in scopes]
    averages = [scope in ("all", group) for group, scope in scopes]
    bases = [base for base, _ in runs]
    x = np.arange(len(scopes)) + 0.1 * plots.breaks(averages) + 0.2 * plots.breaks(heads)
    y = np.arange(len(runs)) + 0.3 * plots.breaks(bases)
    grid = cells["value"].to_numpy().reshape(len(runs), len(scopes)) * scale
    norm = TwoSlopeNorm(0, -limit, limit) if delta else PowerNorm(0.5, 0, limit)
    cmap = sns.color_palette("vlag_r" if delta else mpl.rcParams["image.cmap"], as_cmap=True).with_extremes(bad="white")
    gapped = np.insert(grid, range(1, len(x)), np.nan, axis=1)  # empty columns and rows fill the gaps
    gapped = np.insert(gapped, range(1, len(y)), np.nan, axis=0)
    edges = (np.stack([at, at + 1], axis=1).ravel() for at in (x, y))
    ax.pcolormesh(*edges, gapped, cmap=cmap, norm=norm, lw=0.3, ec="white")
    numbers = []
    for (row, column), value in np.ndenumerate(grid):
        if not np.isnan(value):
            look: dict[str, Any] = {
                "color": plots.ink_on(cmap(norm(value))),
                "fontweight": "bold" if averages[column] else "normal",
            }
            text = ax.text(float(x[column]) + 0.5, float(y[row]) + 0.5, "", ha="center", va="center", **look)
            numbers.append((text, value))
    labels = ["Ø" if scope in ("all", group) else scope.replace("_", " ") for group, scope in scopes]
    high = upright(cells.loc[~cells["language"].isin([*cells["group"], "all"])])
    ax.set_xticks(x + 0.5, labels, rotation=90 if high else 0)
    ax.set_yticks(y + 0.5, [name("variant", variant) for _, variant in runs])
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.invert_yaxis()
    ax.spines[:].set_visible(False)
    bold: dict[str, Any] = {"ha": "center", "fontweight": "bold", "textcoords": "offset points"}
    line = mpl.rcParams["font.size"]
    titles = []
    for start, end, text in plots.spans(heads):
        middle = ((x[start] + x[end - 1] + 1) / 2, 1)
        head = ax.annotate(
            text, middle, (0, (0.8 + max(high, 1)) * line), ("data", "axes fraction"), va="bottom", **bold
        )
        titles.append((head, end - start))
    for start, end, text in plots.spans(bases):
        middle = (1, (y[start] + y[end - 1] + 1) / 2)
        ax.annotate(plots.base_name(text), middle, (6, 0), ("axes fraction", "data"), va="center", rotation=270, **bold)
    plots.fit_numbers(ax, numbers, digits, sign=delta)
    for head, columns in titles:
        plots.fit_width(head, columns * plots.unit_width(ax))


def changes(data: pd.DataFrame, width: float) -> Figure:
    """Change from the abliterated base, one row per run and one panel per measure.

    Parameters
    ----------
    data : columns panel (the measure), variant, value, ci_low, ci_high
    """
    panels = list(dict.fromkeys(data["panel"]))
    rows = data["variant"].nunique()
    line = mpl.rcParams["font.size"] / 72
    size = (width, (max(rows, 1) * 2.2 + 5) * line)
    figure, axes = plt.subplots(1, max(len(panels), 1), figsize=size, sharey=True, squeeze=False)
    if data["value"].isna().all():
        for ax in axes.flat:
            plots.nothing(ax)
        return figure
    for ax, panel in zip(axes.flat, panels, strict=True):
        part = data[data["panel"] == panel]
        variants = list(part["variant"])
        ax.axvline(0, color=plots.INK, lw=0.6)
        plots.intervals(ax, part, [name("variant", v) for v in variants], [plots.colour(v) for v in variants])
        ax.set_title(name("metric", panel))
    figure.supxlabel("change in points of 5", fontsize=mpl.rcParams["font.size"])
    return figure


def agreement_panels(data: pd.DataFrame, width: float) -> Figure:
    """Cohen's kappa (full) and Gwet's AC1 (hollow) per language, one panel per two judges."""
    both = list(dict.fromkeys(zip(data["judge_a"], data["judge_b"], strict=True)))
    codes = list(dict.fromkeys(data["language"]))
    columns = min(max(len(both), 1), 3)
    rows = -(-max(len(both), 1) // columns)
    height = rows * (max(len(codes), 1) * 2.2 + 7) * mpl.rcParams["font.size"] / 72
    figure, axes = plt.subplots(rows, columns, figsize=(width, height), sharey=True, sharex=True, squeeze=False)
    if not both:
        plots.nothing(axes.flat[0])
    styles = (("kappa", plots.COLOURS["balanced"], False), ("ac1", plots.COLOURS["english_only"], True))
    for ax, (a, b) in zip(axes.flat, both, strict=False):
        for metric, tone, hollow in styles:
            part = data[(data["judge_a"] == a) & (data["judge_b"] == b) & (data["metric"] == metric)]
            part = part.set_index("language").reindex(codes)
            plots.intervals(ax, part, [name("language", c) for c in codes], [tone] * len(codes), hollow=hollow)
        ax.set_title(f"{a}\n{b}")
        ax.set_xlim(right=1.05)
        ax.set_xlabel("agreement beyond chance")
    for ax in axes.flat[max(len(both), 1) :]:
        ax.set_visible(False)
    if both:
        handles = [
            Line2D([], [], marker="o", ls="", ms=4, color=tone, mfc="white" if hollow else tone, label=label)
            for (_, tone, hollow), label in zip(styles, ("Cohen’s kappa", "Gwet’s AC1"), strict=True)
        ]
        figure.legend(handles=handles, loc="outside upper right", ncols=2, frameon=False, handletextpad=0.2)
    return figure


def safety_and_language(data: pd.DataFrame, width: float) -> Figure:
    """ASR against language consistency: a small dot per language, a large one per run, a panel per base.

    Parameters
    ----------
    data : columns base, variant, language, asr, language_consistency (fractions)
    """
    bases = list(dict.fromkeys(data["base"]))
    size = (width, 0.45 * width)
    figure, axes = plt.subplots(1, max(len(bases), 1), figsize=size, sharex=True, sharey=True, squeeze=False)
    if data["asr"].isna().all():
        for ax in axes.flat:
            plots.nothing(ax)
        return figure
    for ax, base in zip(axes.flat, bases, strict=True):
        ax.grid()
        ax.set_axisbelow(True)
        part = data[data["base"] == base].dropna(subset=["asr", "language_consistency"])
        for variant, run in part.groupby("variant", sort=False):
            mean = run["language"] == "all"
            x, y = run["language_consistency"] * 100, run["asr"] * 100
            look: dict[str, Any] = {"color": plots.colour(variant), "clip_on": False}
            ax.scatter(x[~mean], y[~mean], s=5, alpha=0.5, lw=0, **look)
            ax.scatter(x[mean], y[mean], s=36, lw=0.8, ec="white", zorder=3, **look)
        ax.set(title=plots.base_name(base), xlabel="language consistency [%]", ylabel="ASR [%], square-root scale")
        ax.set_yscale("function", functions=(np.sqrt, np.square))
        ax.set(ylim=(0, 100), yticks=[0, 1, 5, 10, 20, 40, 60, 80, 100])
        ax.set_xlim(right=100)
    for ax, base in zip(axes.flat, bases, strict=True):
        means = data[(data["base"] == base) & (data["language"] == "all")].dropna()
        points = zip(means["variant"], means["language_consistency"] * 100, means["asr"] * 100, strict=True)
        plots.side_labels(ax, {variant: (x, y) for variant, x, y in points})
    return figure


def curves(data: pd.DataFrame, width: float) -> Figure:
    """Training logs: a row per base, a column per quantity, a line per run over the share of its training.

    Parameters
    ----------
    data : columns base, variant, seed, epoch and those of `CURVES`
    """
    bases = list(dict.fromkeys(data["base"]))
    data = data.assign(done=data["epoch"] / data.groupby(["base", "variant", "seed"])["epoch"].transform("max") * 100)
    shown = [column for column in CURVES if data[column].notna().any()]
    size = (width, 0.3 * width * max(len(bases), 1))
    figure, axes = plt.subplots(max(len(bases), 1), max(len(shown), 1), figsize=size, sharex=True, squeeze=False)
    for (row, base), (column, key) in itertools.product(enumerate(bases), enumerate(shown)):
        ax = axes[row, column]
        ax.grid(axis="y")
        runs = data[data["base"] == base].dropna(subset=[key]).groupby(["variant", "seed"], sort=False)
        for (variant, _), run in runs:
            single = variant.startswith(SINGLE)
            ax.plot(
                run["done"],
                run[key],
                color=plots.colour(variant),
                lw=0.5 if single else 1,
                zorder=1 if single else 2,
            )
        ax.set_title(CURVES[key] if row == 0 else "")
        ax.set_xlabel("training [%]" if row == len(bases) - 1 else "")
        if key == "loss" and (data[key].dropna() > 0).all():
            ax.set_yscale("log")
            ax.yaxis.set_major_locator(mpl.ticker.LogLocator(subs=(1, 2, 5)))
            ax.yaxis.set_major_formatter("{x:g}")
            ax.yaxis.set_minor_formatter(mpl.ticker.NullFormatter())
        ax.set_ylabel(plots.base_name(base) if column == 0 else "", fontweight="bold")
    for row, base in enumerate(bases if shown else []):
        ends = data[(data["base"] == base) & ~data["variant"].str.startswith(SINGLE)].dropna(subset=[shown[-1]])
        last = ends.groupby("variant", sort=False)[["done", shown[-1]]].last()
        plots.side_labels(axes[row, -1], {variant: (x, y) for variant, x, y in last.itertuples()})
    return figure
