"""Figures at 3, 12 and 24 languages: labels overlap nowhere, nothing leaves the page, colours can be told apart."""

import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib import colors
from matplotlib.testing.compare import compare_images
from matplotlib.text import Text

from refuseu.analysis import confusion
from refuseu.analysis.cells import scope_order
from refuseu.artifacts import figures, plots
from refuseu.artifacts.names import VARIANTS
from refuseu.artifacts.quality import SHORT
from refuseu.artifacts.reached import KIN, REACHED, SPENT
from refuseu.artifacts.reached import reached as draw_reached
from refuseu.languages import languages
from support.helpers import ROOT

STYLE = {"font_size": 7, "dpi": 100, "width_cm": 16, "column_cm": 7.7}
CODES = [*languages(), "xx"]
STUDIES = {
    3: {"high_resource": CODES[:2], "low_resource": CODES[6:7]},
    12: {"high_resource": CODES[:6], "low_resource": CODES[6:12]},
    24: {"high_resource": CODES[:6], "low_resource": CODES[6:21], "another_family": CODES[21:]},
}
BASELINES = ROOT / "tests/unit/artifacts/baselines"


def values(n, *shape):
    return np.random.default_rng(n).uniform(size=shape)


def runs(n, variants, delta=False):
    """One row per run and language or average of two bases, with values up to the widest that can be printed."""
    rows = [
        (base, variant, group, scope)
        for base in ("llama_8b", "llama_70b")
        for variant in variants
        for group, scope in scope_order(STUDIES[n])
    ]
    frame = pd.DataFrame(rows, columns=["base", "variant", "group", "language"])
    drawn = values(n, len(frame))
    return frame.assign(value=np.where(drawn < 0.3, 1, drawn) * (-1 if delta else 1))


def heatmap(n, width):
    single = [f"single_{code}" for code in CODES[1:n]]
    return figures.heatmap(runs(n, [*VARIANTS, *single]), width, digits=1, limit=100)


def delta(n, width):
    return figures.heatmap(runs(n, list(VARIANTS)[2:], delta=True), width, digits=1, delta=True)


def panels(n, width):
    data = runs(n, list(VARIANTS)[2:], delta=True)
    data = data[data["base"] == "llama_8b"]
    both = [data.assign(panel=panel, value=data["value"] * 3) for panel in ("fluency", "correctness")]
    return figures.heatmap(pd.concat(both), width, scale=1, digits=2, delta=True)


def confused(n, width):
    codes = [code for group in STUDIES[n].values() for code in group]
    found = {panel: [(a, b) for a in codes for b in [*codes, "hr", "", "bos_Latn"]] for panel in ("prompts", "answers")}
    data = confusion.cells(confusion.confusion(found), STUDIES[n], ["hr"])
    return figures.heatmap(data.assign(value=1.0).replace(SHORT), width, limit=100)


def by_run(n, width):
    rows = itertools.product(("fluency", "correctness"), list(VARIANTS)[2:])
    data = pd.DataFrame(rows, columns=["panel", "variant"])
    at = -values(n, len(data))
    return figures.changes(data.assign(value=at, ci_low=at - 0.3, ci_high=at + 0.3), width)


def judges(n, width):
    pairs = itertools.combinations(("llama_guard_3", "polyguard_qwen", "gpt_4o_mini"), 2)
    rows = itertools.product(pairs, itertools.chain(*STUDIES[n].values()), ("kappa", "ac1"))
    data = pd.DataFrame([(*pair, code, metric) for pair, code, metric in rows])
    data.columns = ["judge_a", "judge_b", "language", "metric"]
    at = values(n, len(data))
    return figures.agreement_panels(data.assign(value=at, ci_low=at - 0.1, ci_high=at + 0.1), width)


def safety_and_language(n, width):
    data = runs(n, VARIANTS)
    # Many runs at the upper edge, as in a study where most of them fail.
    return figures.safety_and_language(
        data.assign(asr=0.93 + 0.07 * data["value"], language_consistency=0.7 + 0.3 * data["value"]), width
    )


def curves(n, width):
    variants = [*list(VARIANTS)[2:], *(f"single_{code}" for code in CODES[1:n])]
    rows = itertools.product(("llama_8b", "llama_70b"), variants, range(6))
    data = pd.DataFrame(rows, columns=["base", "variant", "step"]).assign(seed=1)
    quantities = ["loss", "reward_margin", "reward_accuracy", "cosine", "singular_share"]
    data[quantities] = values(n, len(data), len(quantities))
    return figures.curves(data.assign(epoch=data["step"] / 2), width)


def reached(n, width):
    cells = [
        (base, variant, metric)
        for base, variants in (("llama_8b", [*list(VARIANTS)[1:4], *KIN]), ("llama_70b", list(VARIANTS)[1:4]))
        for variant in variants
        for metric in (*REACHED, *SPENT)
    ]
    data = pd.DataFrame(cells, columns=["base", "variant", "metric"])
    spent, rating = data["metric"].isin(SPENT), data["metric"].isin(["fluency", "correctness"])
    at = values(n, len(data)) * np.select([spent, rating], [10.0**n, 4], 1) + rating
    at[spent & (data["variant"] == "abliterated")] = np.nan
    return draw_reached(data.assign(value=at, ci_low=at - 0.1, ci_high=at + 0.1), width)


DRAWN = {
    "heatmap": (heatmap, 2), "delta": (delta, 2), "panels": (panels, 2), "confused": (confused, 2),
    "by_run": (by_run, 1), "judges": (judges, 2), "safety_and_language": (safety_and_language, 2),
    "curves": (curves, 2), "reached": (reached, 2),
}  # fmt: skip


def texts(figure, monkeypatch):
    """(text, box) of everything written when the figure is drawn; boxes in pixels as x0, y0, x1, y1."""
    found = {}
    draw = Text.draw

    def recorded(self, renderer):
        if self.get_visible() and self.get_text().strip():
            found[id(self)] = (self.get_text(), Text.get_window_extent(self, renderer).extents)
        return draw(self, renderer)

    with monkeypatch.context() as patch:
        patch.setattr(Text, "draw", recorded)
        figure.canvas.draw()
    return [text for text, _ in found.values()], np.array([box for _, box in found.values()])


def overlaps(boxes, slack=0.5):
    """Index pairs of boxes that share more than a rim of `slack` pixels."""
    low, high = boxes[:, None, :2], boxes[:, None, 2:]
    shared = np.minimum(high, high.swapaxes(0, 1)) - np.maximum(low, low.swapaxes(0, 1))
    return np.argwhere(np.triu((shared > slack).all(axis=2), k=1))


@pytest.mark.parametrize("n", STUDIES)
@pytest.mark.parametrize("name", DRAWN)
def test_no_text_overlaps_another_or_leaves_the_page(name, n, monkeypatch):
    draw, columns = DRAWN[name]
    with plots.style(**STYLE, columns=columns) as width:
        figure = draw(n, width)
        written, boxes = texts(figure, monkeypatch)
        assert [(written[a], written[b]) for a, b in overlaps(boxes)] == []
        page = figure.bbox.extents
        outside = (boxes[:, :2] < page[:2] - 0.5).any(axis=1) | (boxes[:, 2:] > page[2:] + 0.5).any(axis=1)
        assert [text for text, out in zip(written, outside, strict=True) if out] == []
        assert {text.get_text() for text in figure.findobj(Text)} >= set(written)
        assert figure.get_size_inches()[0] * 2.54 == pytest.approx({1: 7.7, 2: 16}[columns])
        smallest = min(text.get_fontsize() for text in figure.findobj(Text) if text.get_text())
        assert smallest >= 4


def test_the_overlap_that_these_tests_look_for_is_found():
    boxes = np.array([[0, 0, 10, 10], [9, 9, 20, 20], [10, 0, 20, 9], [30, 0, 40, 10]])
    assert overlaps(boxes).tolist() == [[0, 1]]


# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
BLINDNESS = {
    "none": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def lab(rgb, seen):
    """CIE L*a*b* (D65) of an sRGB colour as somebody sees it."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.array(seen) @ linear, 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ linear
    x, y, z = np.cbrt(xyz / [0.9505, 1, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("seen", BLINDNESS)
def test_colours_of_variants_differ_for_every_kind_of_sight(seen):
    palette = {**plots.COLOURS, "other": plots.OTHER, "grey": plots.GREY}
    seen_as = {name: lab(np.array(colors.to_rgb(tone)), BLINDNESS[seen]) for name, tone in palette.items()}
    nearest = {pair: np.linalg.norm(seen_as[pair[0]] - seen_as[pair[1]]) for pair in itertools.combinations(palette, 2)}
    pair = min(nearest, key=nearest.get)
    assert nearest[pair] > 10, (pair, nearest[pair])


@pytest.mark.parametrize("name", ["delta", "safety_and_language", "reached"])
def test_a_figure_looks_as_before(name, tmp_path):
    """Baselines are renewed by copying `actual.png`, after looking at it."""
    draw, columns = DRAWN[name]
    actual = tmp_path / "actual.png"
    with plots.style(**STYLE | {"dpi": 60}, columns=columns) as width:
        draw(3, width).savefig(actual, metadata={"Software": None})
    assert compare_images(str(BASELINES / f"{name}.png"), str(actual), tol=8) is None
