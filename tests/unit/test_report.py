"""The report: self-contained, escaped, complete."""

import re
from pathlib import Path

import pandas as pd
import pytest

from refuseu import report
from refuseu.claims import COLUMNS
from refuseu.errors import UserError

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "workflow/report/page.html.j2"
CLAIMS = pd.DataFrame(
    [("one", "A < B.", "paper", base, "not held", "x: 1 [0, 2] points", "held", "y") for base in ("small", "large")],
    columns=COLUMNS,
)


@pytest.fixture
def page(tmp_path):
    table = tmp_path / "tables/table1_x.md"
    figure = tmp_path / "figures/fig3_x.png"
    for path in (table, figure):
        path.parent.mkdir()
    table.write_text(
        "### T\n\n| Language | A |\n| :-- | --: |\n| English | 1 (2) |\n| **Average** | **1** |\n\nA note.\n"
    )
    figure.write_bytes(b"\x89PNG")
    captions = [tmp_path / "table1.rst", tmp_path / "fig3.rst"]
    captions[0].write_text("**Table 1. Rates.** Less is <safer>,\nsee ``asr``.\n")
    captions[1].write_text("**Figure 3.** A *map*.\n")
    artifacts = report.read_artifacts([str(table)], [str(figure)], [str(path) for path in captions])
    models = {"small": {"base": "small", "variant": "abliterated", "method": "base", "seed": ""}}
    facts = report.facts({"high_resource": ["en"]}, models, {"dataset": "build"})
    return report.page(TEMPLATE, "mine", facts, CLAIMS, artifacts, "snakemake --profile p")


def test_nothing_is_loaded_from_elsewhere(page):
    assert not re.search(r"""(src|href)=["'](?!data:image/png;base64,|#|tables/|figures/)""", page)
    assert "<script" not in page and "@import" not in page and "url(" not in page


def test_every_artifact_with_caption_data_and_command(page):
    assert "<h3>Table 1. Rates</h3>" in page
    assert "Less is &lt;safer&gt;, see <code>asr</code>." in page
    assert "A <em>map</em>." in page
    assert '<img src="data:image/png;base64,iVBORw==" alt="Figure 3">' in page
    assert '<a href="tables/table1_x.csv">' in page and '<a href="figures/fig3_x.csv">' in page
    assert "<code>snakemake --profile p table1</code>" in page
    assert '<tr class="average"><td>Average</td><td>1</td></tr>' in page
    assert "A note." in page


def test_claims_come_first_and_are_escaped(page):
    assert page.index('id="claims"') < page.index('id="artifacts"')
    assert page.count("A &lt; B.") == 1  # one heading over the rows of both bases
    assert page.count('<span class="verdict not_held">not held</span>') == 2


def test_what_was_run_is_named(page):
    assert "<dt>Languages</dt><dd>High-resource: English</dd>" in page
    assert "<dt>Dataset</dt><dd>build</dd>" in page


def test_a_caption_without_a_title_is_an_error(tmp_path):
    path = tmp_path / "fig3.rst"
    path.write_text("A map.")
    with pytest.raises(UserError, match="does not start with a title"):
        report.read_caption(path)


def test_every_caption_of_the_workflow_has_a_title():
    captions = [path for path in (ROOT / "workflow/report").glob("*.rst") if path.stem != "workflow"]
    assert captions
    for path in captions:
        title, text = report.read_caption(path)
        assert title and text
