"""The figure of the open question: what runs reach beside what they cost."""

import itertools
from collections.abc import Sequence

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from refuseu.artifacts import plots
from refuseu.artifacts.names import name

# What the open question is judged by, and which way is better; "1–5" are ratings, all others shares.
REACHED = {
    "asr": "↓",
    "over_refusal_rate": "↓",
    "language_consistency": "↑",
    "accuracy": "↑",
    "fluency": "1–5 ↑",
    "correctness": "1–5 ↑",
}
SPENT = ("pairs", "steps", "training_tokens", "translated_characters", "gpu_hours")
# Drawn as its kin, but hollow.
KIN = {"balanced_small": "balanced", "english_only_long": "english_only"}


def reached(data: pd.DataFrame, width: float) -> Figure:
    """What runs reach beside what they cost: two panels per base, a row per measure or cost, a dot per run.

    Parameters
    ----------
    data : columns base, variant, metric, value, ci_low, ci_high (rates as fractions, ratings from 1 to 5)
    """
    known, spent = data.dropna(subset=["value"]), data[data["value"] > 0]
    measures = [key for key in REACHED if key in set(known["metric"])]  # also a rate that is 0 for all runs
    costs = [key for key in SPENT if key in set(spent["metric"])]
    runs = {str(base): list(part["variant"].unique()) for base, part in data.groupby("base", sort=False)}
    lines = [max(len(measures), len(costs)) * max(len(own) * 0.65, 2.4) + 6 for own in runs.values()] or [6]
    figure, axes = plt.subplots(
        len(lines), 2, figsize=(width, (sum(lines) + 4) * mpl.rcParams["font.size"] / 72), squeeze=False,
        height_ratios=lines,
    )  # fmt: skip
    if not measures and not costs:
        for ax in axes.flat:
            plots.nothing(ax)
        return figure
    most = data.groupby("metric")["value"].max()
    for (left, right), (base, variants) in zip(axes, runs.items(), strict=True):
        part = data[data["base"] == base].set_index(["metric", "variant"])[["value", "ci_low", "ci_high"]]
        dots(left, pd.concat([share_of(part, key, most) for key in measures]), measures, variants)
        trained = [variant for variant in variants if part.loc[(costs, variant), "value"].any()]
        dots(right, pd.concat([share_of(part, key, most) for key in costs]), costs, trained, stems=True)
        left.set_yticks(range(len(measures)), [f"{name('metric', key)} {REACHED[key]}" for key in measures])
        right.set_yticks(range(len(costs)), [f"{name('metric', key)}\n({rounded(most[key])})" for key in costs])
        left.set(title=f"{plots.base_name(base)}: what it reaches", xlabel="%; ratings: 1 at 0, 5 at 100")
        right.set(title="what it costs", xlabel="% of the most (in brackets)")
    handles = [dot_of(variant) for variant in dict.fromkeys(data["variant"])]
    figure.legend(handles=handles, loc="outside upper left", ncols=3, frameon=False, handletextpad=0.2)
    return figure


def share_of(values: pd.DataFrame, key: str, most: pd.Series) -> pd.DataFrame:
    """A measure or cost in percent: of 1, of the way from 1 to 5, or of the most that any run costs."""
    rows = values.loc[[key]]
    if key in SPENT:
        return rows / (most[key] or 1) * 100
    return (rows - 1) / 4 * 100 if "5" in REACHED[key] else rows * 100


def rounded(number: float) -> str:
    """``29k``, ``9M``, ``2,407``, ``0.75``."""
    if number >= 10_000:
        return str(mpl.ticker.EngFormatter(sep="", places=0)(number))
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def dots(ax: Axes, data: pd.DataFrame, rows: Sequence[str], variants: Sequence[str], stems: bool = False) -> None:
    """A dot per variant in each row, below each other, with its interval or with a stem from 0.

    Parameters
    ----------
    data : value, ci_low, ci_high in percent by (row, variant)
    """
    step = 0.8 / max(len(variants), 1)
    known = dict(zip(data.index, data[["value", "ci_low", "ci_high"]].to_numpy(dtype=float), strict=True))
    for (row, key), (place, variant) in itertools.product(enumerate(rows), enumerate(variants)):
        value, low, high = known.get((key, variant), (np.nan,) * 3)
        if np.isnan(value):
            continue
        at, look = row + (place - (len(variants) - 1) / 2) * step, dot_of(variant)
        ax.plot([0, value] if stems else [low, high], [at, at], color=look.get_color(), lw=1, solid_capstyle="butt")
        ax.plot(value, at, "o", ms=4, color=look.get_color(), mfc=look.get_markerfacecolor(), mew=1, clip_on=False)
    ax.set(xlim=(0, 100), ylim=(len(rows) - 0.5, -0.5))
    for edge in range(1, len(rows)):
        ax.axhline(edge - 0.5, color=plots.GRID, lw=0.5)
    ax.grid(True, axis="x")
    ax.set_axisbelow(True)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def dot_of(variant: str) -> Line2D:
    """How the dot of a variant looks, for a legend."""
    tone = plots.colour(KIN.get(variant, variant))
    filled = "white" if variant in KIN else tone
    return Line2D([], [], marker="o", ls="", ms=4, color=tone, mfc=filled, mew=1, label=name("variant", variant))
