"""Languages taken for each other, counted by hand."""

import pandas as pd
import pytest

from refuseu.analysis.confusion import cells, confusion
from refuseu.artifacts import figures, plots
from refuseu.artifacts.quality import SHORT

GROUPS = {"high_resource": ["en"], "low_resource": ["cs", "sk", "sl"]}
PROMPTS = [
    *[("cs", code) for code in ("cs", "cs", "sk", "")],
    *[("sl", code) for code in ("hr", "bos_Latn", "sl", "nl")],
    ("sk", "sk"),
    ("en", "en"),
]
ANSWERS = [("cs", "en"), ("sk", "sk")]


@pytest.fixture(scope="module")
def counts():
    return confusion({"prompts": PROMPTS, "answers": iter(ANSWERS)})


def test_texts_are_counted_by_panel_language_and_what_was_found(counts):
    found = counts.set_index(["panel", "language", "detected"])
    assert found.loc[("prompts", "cs", "cs")].tolist() == [2, 4]
    assert found.loc[("prompts", "cs", "")].tolist() == [1, 4]
    assert found.loc[("answers", "cs", "en")].tolist() == [1, 1]
    assert counts["count"].sum() == len(PROMPTS) + len(ANSWERS)


def test_neighbours_have_columns_and_all_else_is_other(counts):
    shares = cells(counts, GROUPS, ["hr", "en"]).set_index(["panel", "variant", "language"])["value"]
    assert list(dict.fromkeys(shares.index.get_level_values(2))) == ["en", "cs", "sk", "sl", "hr", "other", "none"]
    shares = shares.sort_index()
    assert shares.loc["prompts", "sl"].dropna().to_dict() == {"sl": 0.25, "hr": 0.25, "other": 0.5}
    assert shares.loc["prompts", "cs"].dropna().to_dict() == {"cs": 0.5, "sk": 0.25, "none": 0.25}
    assert shares.groupby(level=[0, 1]).sum().loc["prompts"].tolist() == [1.0] * 4


def test_the_grid_is_whole_and_zero_is_empty(counts):
    data = cells(counts, GROUPS, [])
    assert len(data) == 2 * 4 * 6
    assert data["value"].isna().sum() == len(data) - 8 - 2 + 1  # sl: hr, bos and nl are one cell


def test_it_is_drawn_as_two_maps(counts):
    data = cells(counts, GROUPS, ["hr"])
    with plots.style(7, 50, 16.0, 8.0) as width:
        figure = figures.heatmap(data.replace(SHORT), width, limit=100)
        assert [ax.get_title(loc="left") for ax in figure.axes] == ["Prompts", "Answers"]
        assert [label.get_text() for label in figure.axes[0].get_xticklabels()][-3:] == ["hr", "…", "–"]


def test_a_language_without_texts_is_an_empty_row():
    data = cells(confusion({"prompts": [("en", "en")]}), GROUPS, [])
    assert data[data["variant"] == "sk"]["value"].isna().all() and pd.notna(data["value"]).sum() == 1
