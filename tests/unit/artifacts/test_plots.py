"""Figures: one colour per variant, deterministic files, no crash on what is missing."""

import numpy as np
import pandas as pd
import pytest

from refuseu.artifacts import figures, plots
from refuseu.artifacts.names import VARIANTS

STYLE = {"font_size": 7, "dpi": 50, "width_cm": 12, "column_cm": 6}
CODES = [("high_resource", "en"), ("high_resource", "de"), ("high_resource", "high_resource"), ("all", "all")]


def grid(value=0.5, variants=("abliterated", "balanced")):
    rows = [("small", variant, *scope, value) for variant in variants for scope in CODES]
    return pd.DataFrame(rows, columns=["base", "variant", "group", "language", "value"])


def test_every_known_variant_has_a_colour_of_its_own():
    assert set(plots.COLOURS) == set(VARIANTS)
    assert len(set(plots.COLOURS.values()) | {plots.OTHER, plots.GREY}) == len(VARIANTS) + 2
    assert plots.colour("single_de") == plots.GREY
    assert plots.colour("mine") == plots.OTHER


def test_a_base_that_stands_for_another_is_called_so_in_figures_and_nowhere_else():
    with plots.style(**STYLE, bases={"small": "small (for 8B)"}) as width:
        shown = texts(figures.heatmap(grid(), width))
    assert "small (for 8B)" in shown and "small" not in shown
    assert plots.base_name("small") == "small"


def test_a_heatmap_has_the_palette_of_the_style():
    found = {}
    for palette in ("rocket_r", "Greys"):
        with plots.style(**STYLE, palette=palette) as width:
            [mesh] = figures.heatmap(grid(), width).axes[0].collections
            found[palette] = mesh.get_cmap().name
    assert found == {"rocket_r": "rocket_r", "Greys": "Greys"}


def test_saving_twice_makes_the_same_bytes_and_the_data_beside(tmp_path):
    data = grid()
    for folder in ("one", "two"):
        outputs = {suffix: str(tmp_path / folder / f"f.{suffix}") for suffix in ("pdf", "svg", "png", "csv")}
        with plots.style(**STYLE) as width:
            plots.save(figures.heatmap(data, width), data, outputs)
    for suffix in ("pdf", "svg", "png", "csv"):
        assert (tmp_path / f"one/f.{suffix}").read_bytes() == (tmp_path / f"two/f.{suffix}").read_bytes()
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "one/f.csv"), data)
    pdf = (tmp_path / "one/f.pdf").read_bytes()
    assert b"CreationDate" not in pdf
    assert b"/Subtype /Type3" not in pdf  # fonts stay text: fonttype 42


def texts(figure):
    return [text.get_text() for ax in figure.axes for text in ax.texts]


def test_heatmap_prints_every_value_and_leaves_missing_cells_empty():
    data = grid()
    data.loc[0, "value"] = np.nan
    with plots.style(**STYLE) as width:
        shown = texts(figures.heatmap(data, width, digits=1))
    assert shown.count("50.0") == 7
    assert {"High-resource", "All", "small"} <= set(shown)
    assert not any("nan" in text for text in shown)


def test_heatmap_of_changes_is_signed():
    data = grid()
    data["value"] = [-0.1, 0.1, 0, -0.0001, *[0.2] * 4]
    with plots.style(**STYLE) as width:
        shown = texts(figures.heatmap(data, width, digits=1, delta=True))
    assert {"−10.0", "+10.0", "0.0", "+20.0"} <= set(shown)
    assert "−0.0" not in shown


@pytest.mark.parametrize("empty", [grid(float("nan")), grid()[:0]])
def test_a_figure_without_data_says_so(empty):
    with plots.style(**STYLE) as width:
        assert texts(figures.heatmap(empty, width)) == ["no such run in this study"]
        data = empty.assign(panel="fluency", ci_low=np.nan, ci_high=np.nan)
        assert texts(figures.changes(data, width)) == ["no such run in this study"]


def test_apart_keeps_order_and_distance_and_moves_no_more_than_needed():
    assert plots.apart([0, 10, 20], 2) == [0, 10, 20]
    assert plots.apart([5, 5, 5], 2) == pytest.approx([3, 5, 7])
    placed = plots.apart([0, 0.5, 1, 9], 1)
    assert np.diff(placed).min() >= 1 - 1e-9
    assert placed[-1] == 9


def test_apart_keeps_within_bounds():
    assert plots.apart([9, 9, 9], 2, 0, 10) == pytest.approx([6, 8, 10])
    assert plots.apart([0, 0, 5], 2, 0, 10) == pytest.approx([0, 2, 5])


def test_breaks_count_the_changes_before_each_name():
    assert plots.breaks(["a", "a", "b", "b", "a"]).tolist() == [0, 0, 1, 1, 2]
    assert plots.breaks([]).tolist() == []


def test_curves_draw_one_line_per_run_and_only_quantities_that_were_logged():
    logs = [
        {"base": "small", "variant": variant, "seed": 1, "step": step, "epoch": step, "loss": 1 / (step + 1),
         "reward_accuracy": 0.5, "reward_margin": step, "cosine": np.nan,
         "singular_share": np.nan}
        for variant in ("balanced", "single_de") for step in range(3)
    ]  # fmt: skip
    with plots.style(**STYLE) as width:
        figure = figures.curves(pd.DataFrame(logs), width)
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["Loss", "Reward\naccuracy", "Reward\nmargin"]
    assert {len(ax.lines) for ax in figure.axes} == {2}
