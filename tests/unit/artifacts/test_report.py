"""The report: self-contained, escaped, complete."""

import json
import re
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pytest

from refuseu.artifacts import report, tables
from refuseu.artifacts.claims import COLUMNS
from support.browser import CHROMIUM, Browser

# A PNG of one pixel.
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
ROOT = Path(__file__).parents[3]
TEMPLATE = ROOT / "workflow/report/page.html.j2"
CLAIMS = pd.DataFrame(
    [("one", "A < B.", "paper", base, "not held", "x: 1 [0, 2] points", "held", "y") for base in ("small", "large")],
    columns=COLUMNS,
)

EXAMPLES = [
    report.Example("Polish", ("six words", "six words and <the> rest"), [("small Balanced", "safe", "No.", "")])
]


@pytest.fixture
def page(tmp_path):
    table = tmp_path / "tables/table1_x.json"
    figure = tmp_path / "figures/fig3_x.png"
    for path in (table, figure):
        path.parent.mkdir()
    rows = [["English", "1 (2)"], ["Average", "1"]]
    table.write_text(json.dumps(asdict(tables.Page(["Language", "A"], 1, rows, [False, True], "A note."))))
    figure.write_bytes(b"\x89PNG")
    said = [
        {"target": "table1", "section": "Safety", "title": "Table 1. Rates", "caption": "Less is <safer>, see ``asr``.",
         "csv": "tables/table1_x.csv"},
        {"target": "fig3", "section": "Safety", "title": "Figure 3", "caption": "A *map*.",
         "csv": "figures/fig3_x.csv"},
    ]  # fmt: skip
    table.with_suffix(".csv").write_text(
        "value,published,difference,published_inside\n1,1.5,-0.5,False\n2,2,0,True\n3,,,\n,4,,\n"
    )
    figure.with_suffix(".csv").write_text("value,published\n1,\n")
    data = [str(path.with_suffix(".csv")) for path in (table, figure)]
    entries = report.read_entries(said, [str(table), str(figure)], data)
    models = {"small": {"base": "small", "variant": "abliterated", "method": "base", "seed": ""}}
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps(
        {"seconds": 1800, "hardware": "H", "versions": {"trl": "1"}, "git": {"commit": "c" * 40, "dirty": True}}
    ))  # fmt: skip
    facts = report.facts({"high_resource": ["en"]}, models, {"dataset": "build"}, [str(manifest)] * 3)
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"warning": "It did.", "reward_margin": 0.01}))
    facts += report.facts({}, {}, {}, [str(manifest)])[-1:]
    sources = [("base", "small", "somewhere/small", "r" * 40)]
    costs = report.costs([
        {"stage": "judge", "records": 1000, "prompt_tokens": 2000, "completion_tokens": 5, "seconds": 1800,
         "money": 0.5, "currency": "EUR"},
        {"stage": "judge", "records": 1, "prompt_tokens": 0, "completion_tokens": 0, "seconds": 1800,
         "money": 0.25, "currency": "EUR"},
        {"stage": "translate", "records": 1, "prompt_tokens": 0, "completion_tokens": 0, "seconds": None,
         "money": None, "currency": "EUR"},
    ])  # fmt: skip
    return report.page(TEMPLATE, "mine", facts, CLAIMS, entries, "snakemake --profile p", sources, costs, EXAMPLES)


def test_runs_that_hardly_moved_are_named(page, tmp_path):
    assert page.count("Hardly moved from their base") == 1
    assert f"{tmp_path.name} (reward margin 0.010)" in page


def test_nothing_is_loaded_from_elsewhere(page):
    assert not re.search(r"""(src|href)=["'](?!data:image/png;base64,|data:,|#|tables/|figures/)""", page)
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
    assert page.index('id="claims"') < page.index('id="table1"') < page.index('id="fig3"')
    assert page.count("A &lt; B.") == 2  # in the overview, and as one heading over the rows of both bases
    assert page.count('<span class="verdict not_held">not held</span>') == 4


def test_what_was_run_is_named(page):
    assert "<dt>Languages</dt><dd>High-resource: English</dd>" in page
    assert "<dt>Dataset</dt><dd>build</dd>" in page
    assert "<dt>Training</dt><dd>3 runs, 1.50 hours in all on H</dd>" in page
    assert "<dt>Software</dt><dd>trl 1</dd>" in page
    assert "<dt>Code</dt><dd>cccccccccccc with changes</dd>" in page
    assert "<td>somewhere/small</td><td><code>rrrr" in page


def test_costs_are_summed_and_what_is_not_known_says_so(page):
    assert "<td>judge</td><td>1,001</td><td>2,005</td><td>1.00</td><td>0.75 EUR</td>" in page
    assert "<td>translate</td><td>1</td><td>0</td><td>not known</td><td>not known</td>" in page


def test_published_values_are_compared_where_there_are_any(page):
    assert "3 of 4 cells recovered; 1 of the 2 that we measured lie in our interval" in page
    assert "the median distance is 25.00 points." in page
    assert page.count("The published values were not recovered.") == 1  # the figure's


def test_examples_show_first_words_and_the_rest_on_a_click(page):
    assert "<details><summary>six words …</summary><p>six words and &lt;the&gt; rest</p></details>" in page
    assert "<td>small Balanced</td><td>safe</td><td>No.</td>" in page


def test_examples_are_the_first_prompts_of_each_language(tmp_path):
    models = {"m": {"base": "small", "variant": "balanced", "seed": 1}, "n": {"base": "", "variant": "n", "seed": ""}}
    rows = [("en-1", "en"), ("en-2", "en"), ("pl-1", "pl")]
    for model in models:
        for step in ("generate", "adjudicate"):
            (tmp_path / step / model).mkdir(parents=True)
        record = {"prompt": "one two three four five six seven", "response": f"I am {model}", "verdict": "safe"}
        for step in ("generate", "adjudicate"):
            lines = [json.dumps({"prompt_id": id, "language": code, **record}) for id, code in rows]
            (tmp_path / step / model / "b.jsonl").write_text("\n".join(lines))
    paths = [[str(tmp_path / step / model / "b.jsonl") for model in models] for step in ("generate", "adjudicate")]
    first, second = report.examples(*paths, models, per_language=1)
    assert (first.language, second.language) == ("English", "Polish")
    assert first.prompt == ("one two three four five six", "one two three four five six seven")
    assert first.answers == [("small Balanced, seed 1", "safe", "I am m", ""), ("n", "safe", "I am n", "")]


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here; install Debian's package chromium")
def test_the_page_opens_from_disk_with_no_error_no_request_and_no_sideways_scrolling(page, tmp_path):
    file = tmp_path / "report.html"
    file.write_text(page.replace("iVBORw==", PIXEL))
    browser = Browser(tmp_path)
    try:
        browser.open(file)
        for width in (1200, 390):
            browser.ask("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=True)
            assert browser.js("document.documentElement.scrollWidth") <= width
        assert not browser.js("document.querySelector('details').open")
        assert browser.js("[...document.images].every(image => image.complete && image.naturalWidth)")
        asked = [url for url in browser.requests() if not url.startswith("data:")]
        assert asked == [file.as_uri()]
        complaints = {"Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown"}
        assert [event for event in browser.events if event.get("method") in complaints] == []
    finally:
        browser.close()
