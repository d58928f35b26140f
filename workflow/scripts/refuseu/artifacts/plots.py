"""Figures: one style, one colour per variant everywhere, one way to save."""

import itertools
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import matplotlib as mpl

mpl.use("Agg")
logging.getLogger("fontTools").setLevel(logging.WARNING)

import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.text import Text  # noqa: E402

from refuseu.analysis.metrics import write_csv  # noqa: E402
from refuseu.analysis.runs import SINGLE  # noqa: E402
from refuseu.artifacts.names import name  # noqa: E402
from refuseu.artifacts.tables import number  # noqa: E402

CM = 1 / 2.54
# Okabe and Ito (2008), Color Universal Design; greys for what is not an aligned run of the tables.
COLOURS = {
    "instruct": "#767676",
    "abliterated": "#000000",
    "balanced": "#0072B2",
    "high_resource": "#56B4E9",
    "english_only": "#D55E00",
    "no_english": "#E69F00",
    "english_only_mlc": "#009E73",
}
OTHER = "#CC79A7"
GREY = "#B3B3B3"
INK, GRID = "#222222", "#DDDDDD"

called: dict[str, str] = {}  # base → what figures call it, where that is not its id; set by `style`


def colour(variant: str) -> str:
    """The colour of a variant, the same in every figure."""
    return COLOURS.get(variant, GREY if variant.startswith(SINGLE) else OTHER)


def base_name(base: str) -> str:
    """What figures call a base."""
    return called.get(base, base)


@contextmanager
def style(
    font_size: float,
    dpi: int,
    width_cm: float,
    column_cm: float,
    palette: str = "rocket_r",
    columns: int = 2,
    bases: Mapping[str, str] | None = None,
) -> Iterator[float]:
    """Draw in the study's style; gives the width in inches of a figure over one column or two.

    Parameters
    ----------
    palette : of heatmaps of rates, from none to all
    bases : what bases are called whose id does not say it
    """
    settings: dict[Any, Any] = {
        "font.size": font_size,
        "font.family": "DejaVu Sans",
        "axes.titlesize": font_size,
        "axes.labelsize": font_size,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.edgecolor": INK,
        "axes.linewidth": 0.5,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": False,
        "xtick.labelsize": font_size,
        "ytick.labelsize": font_size,
        "xtick.major.width": 0.5,
        "ytick.major.width": 0.5,
        "text.color": INK,
        "axes.labelcolor": INK,
        "grid.color": GRID,
        "grid.linewidth": 0.5,
        "lines.linewidth": 1.0,
        "image.cmap": palette,
        "figure.dpi": dpi,
        "savefig.dpi": dpi,
        "pdf.fonttype": 42,  # fonts stay text
        "svg.hashsalt": "refuseu",  # else every file has ids of its own
        "figure.constrained_layout.use": True,
        "text.parse_math": False,  # a dollar in a name is a dollar
    }
    called.update(bases or {})
    try:
        with mpl.rc_context(settings):
            yield (width_cm if columns == 2 else column_cm) * CM
    finally:
        called.clear()
        plt.close("all")


def save(figure: Figure, data: pd.DataFrame, outputs: Mapping[str, str]) -> None:
    """Write ``outputs.pdf``, ``outputs.svg``, ``outputs.png`` and, as ``outputs.csv``, the data drawn.

    No file holds a date: equal data give equal bytes.
    """
    for suffix, metadata in (("pdf", {"CreationDate": None}), ("svg", {"Date": None}), ("png", {"Software": None})):
        Path(outputs[suffix]).parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(outputs[suffix], format=suffix, metadata=metadata)
    write_csv(outputs["csv"], data)


def intervals(
    ax: Axes,
    data: pd.DataFrame,
    labels: Sequence[str],
    colours: Sequence[str],
    scale: float = 1,
    hollow: bool = False,
) -> None:
    """Points with intervals, one row of `data` (value, ci_low, ci_high) per label, from top to bottom."""
    y = np.arange(len(data)) + (0.25 if hollow else 0)
    ends = (data[column] * scale for column in ("value", "ci_low", "ci_high"))
    for value, low, high, at, tone in zip(*ends, y, colours, strict=True):
        ax.plot([low, high], [at, at], color=tone, lw=1, solid_capstyle="butt")
        ax.plot(value, at, "o", ms=4, color=tone, mfc="white" if hollow else tone, mew=1)
    ax.set_yticks(np.arange(len(data)), labels)
    ax.set_ylim(len(data) - 0.4, -0.6)
    ax.grid(True, axis="x")
    ax.set_axisbelow(True)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def side_labels(ax: Axes, points: Mapping[str, tuple[float, float]]) -> None:
    """Names of variants at the right edge, at the height of their points as far as they do not overlap.

    Parameters
    ----------
    points : variant → (x, y) in data units, to which a thin line leads
    """
    ax.figure.canvas.draw()
    font = mpl.rcParams["font.size"]
    height = ax.get_window_extent().height / ax.figure.dpi * 72
    levels = {k: ax.transAxes.inverted().transform(ax.transData.transform(xy))[1] * height for k, xy in points.items()}
    order = sorted(levels, key=levels.__getitem__)
    for variant, at in zip(order, apart([levels[k] for k in order], 1.3 * font, 0, height), strict=True):
        tone = colour(variant)
        ax.annotate(
            name("variant", variant),
            points[variant],
            (1.06, at / height),
            "data",
            "axes fraction",
            arrowprops={"arrowstyle": "-", "color": tone, "lw": 0.4, "shrinkA": 1, "shrinkB": 2, "relpos": (0, 0.5)},
            annotation_clip=False,
            color=tone,
            va="center",
        )


def apart(positions: Sequence[float], gap: float, low: float = -np.inf, high: float = np.inf) -> list[float]:
    """The nearest positions, in the same ascending order, that lie at least `gap` apart.

    They keep within `low` and `high`; where that is too narrow they go beyond `low`.
    """
    blocks: list[tuple[float, int]] = []
    for position in positions:
        blocks.append((position, 1))
        while len(blocks) > 1 and blocks[-1][0] - blocks[-2][0] < gap * (blocks[-1][1] + blocks[-2][1]) / 2:
            (b, m), (a, n) = blocks.pop(), blocks.pop()
            blocks.append(((a * n + b * m) / (n + m), n + m))
    free = [centre + gap * (i - (n - 1) / 2) for centre, n in blocks for i in range(n)]
    return [min(max(at, low + gap * i), high - gap * (len(free) - 1 - i)) for i, at in enumerate(free)]


def fit_numbers(
    ax: Axes, numbers: Sequence[tuple[Text, float]], digits: int, sign: bool = False, smallest: float = 4
) -> None:
    """Make numbers as large as the cells of a heatmap allow, with fewer digits where they would get too small.

    Parameters
    ----------
    numbers : what is printed in each cell (one data unit wide) and its value
    smallest : points
    """
    cast(Figure, ax.figure).draw_without_rendering()
    cell = 0.97 * unit_width(ax)
    usual = 0.85 * mpl.rcParams["font.size"]
    for shown in range(digits, -1, -1):
        for text, value in numbers:
            text.set(text=number(value, 1, shown, sign=sign), fontsize=usual)
        longest = max(len(text.get_text()) for text, _ in numbers)
        widest = max(text.get_window_extent().width for text, _ in numbers if len(text.get_text()) == longest)
        if (size := usual * min(1, cell / widest)) >= smallest:
            break
    for text, _ in numbers:
        text.set_fontsize(size)


def unit_width(ax: Axes) -> float:
    """Pixels of one data unit along x."""
    return float(np.ptp(ax.transData.transform([(0, 0), (1, 0)])[:, 0]))


def fit_width(text: Text, width: float) -> None:
    """Shrink a text that is wider than so many pixels."""
    text.set_fontsize(float(text.get_fontsize()) * min(1, width / text.get_window_extent().width))


def nothing(ax: Axes) -> None:
    """Say that a panel has no data."""
    ax.set_axis_off()
    ax.text(0.5, 0.5, "no such run in this study", ha="center", va="center", transform=ax.transAxes)


def ink_on(background: tuple[float, float, float, float]) -> str:
    """Dark or light text, whichever is read on this RGBA colour."""
    red, green, blue, _ = background
    return "white" if 0.3 * red + 0.59 * green + 0.11 * blue < 0.5 else INK


def breaks(names: Sequence[Any]) -> np.ndarray:
    """How many neighbouring names differ up to each name, shape (n,)."""
    return np.cumsum([False, *(a != b for a, b in itertools.pairwise(names))])[: len(names)]


def spans(names: Sequence[Any]) -> list[tuple[int, int, Any]]:
    """(start, end, name) of neighbouring equal names."""
    starts = [i for i, text in enumerate(names) if i == 0 or text != names[i - 1]]
    return [(a, b, names[a]) for a, b in zip(starts, [*starts[1:], len(names)], strict=True)]
