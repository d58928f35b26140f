"""The report: self-contained, escaped, complete."""

import base64
import json
import re
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

import pandas as pd
import pytest

from refuseu.artifacts import report, tables
from refuseu.artifacts.claims import COLUMNS
from refuseu.artifacts.declared import ARTIFACTS, METHODS
from support.browser import CHROMIUM, Browser

PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="400" height="300"><rect width="9" height="9"/></svg>'
URI = "data:image/svg+xml;base64," + base64.b64encode(PICTURE.encode()).decode()
ROOT = Path(__file__).parents[3]
TEMPLATE = ROOT / "workflow/report/page.html.j2"
CLAIMS = pd.DataFrame(
    [
        ("one", "A < B.", "paper", base, "not held", "x: 1 [0, 2] points (3 clusters); z: 4", "held", "y", True)
        for base in ("small", "large")
    ],
    columns=COLUMNS,
)

EXAMPLES = [
    report.Example("Polish", ("six words", "six words and <the> rest"), [("small Balanced", "safe", "No.", "")])
]


@pytest.fixture
def page(tmp_path):
    table = tmp_path / "tables/table1_x.json"
    figure = tmp_path / "figures/fig3_x.svg"
    for path in (table, figure):
        path.parent.mkdir()
    rows = [["English", "1 (2)"], ["Average", "1"]]
    table.write_text(json.dumps(asdict(tables.Page(["Language", "A"], 1, rows, [False, True], "A note."))))
    figure.write_text(PICTURE)
    said = [
        {"target": "table1", "section": "Safety", "title": "Table 1. Rates", "caption": "Less is <safer>, see ``asr``.",
         "csv": "tables/table1_x.csv", "models": ["small", "large"], "benchmarks": ["b"], "method": "", "columns": 2},
        {"target": "fig3", "section": "Safety", "title": "Figure 3", "caption": "A *map*.",
         "csv": "figures/fig3_x.csv", "models": [], "benchmarks": [], "method": "dataset.md#near-duplicates",
         "columns": 1},
    ]  # fmt: skip
    table.with_suffix(".csv").write_text(
        "value,published,difference,published_inside,n\n1,1.5,-0.5,False,1200\n2,2,0,True,7\n3,,,,\n,4,,,\n"
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
    return report.page(
        TEMPLATE, "mine", facts, CLAIMS, entries, "snakemake --profile p", sources, costs, EXAMPLES, "c0ffee"
    )


def test_runs_that_hardly_moved_are_named(page, tmp_path):
    assert page.count("Hardly moved from their base") == 1
    assert f"{tmp_path.name} (reward margin 0.010)" in page


def test_nothing_is_loaded_from_elsewhere(page):
    assert not re.search(
        r"""(src|href)=["'](?!data:image/svg\+xml;base64,|data:,|#|tables/|figures/|\.\./\.\./docs/)""", page
    )
    assert "<script" not in page and "@import" not in page and "url(" not in page


def test_every_artifact_with_caption_data_and_command(page):
    assert "<h3>Table 1. Rates</h3>" in page
    assert "Less is &lt;safer&gt;, see <code>asr</code>." in page
    assert "A <em>map</em>." in page
    assert f'<img src="{URI}" alt="Figure 3">' in page
    assert '<a href="tables/table1_x.csv">' in page and '<a href="figures/fig3_x.csv">' in page
    assert "<code>snakemake --profile p table1</code>" in page
    assert '<tr class="average"><td>Average</td><td>1</td></tr>' in page
    assert "A note." in page


def test_claims_come_first_and_are_escaped(page):
    assert page.index('id="claims"') < page.index('id="table1"') < page.index('id="fig3"')
    assert page.count("A &lt; B.") == 2  # in short, and once among all claims for both bases
    assert page.count('<span class="verdict not_held">not held</span>') == 6  # in short, folded, with all numbers


def test_the_claims_that_matter_most_are_told_in_words_above_all_else(page):
    short = page[page.index('id="short"') : page.index('<h2 id="claims">')]
    assert 'small: <span class="verdict not_held">not held</span> x: 1 [0, 2] points, and 1 more' in short
    assert '<a href="#one">All numbers</a>' in short
    others = report.page(TEMPLATE, "mine", [], CLAIMS.assign(main="False"), [], "")
    assert 'id="short"' not in others and "A &lt; B." in others


def test_each_artifact_says_what_it_is_made_from(page):
    table, figure = page[page.index('<section id="table1">') :].split('<section id="fig3">')
    assert "<code>snakemake --profile p table1</code> at c0ffee · on b · n = 7 to 1,200" in " ".join(table.split())
    assert "<summary>from 2 models</summary>small, large" in table
    assert '<a href="figures/fig3_x.pdf">PDF</a>' in figure and "from" not in figure.partition("</section>")[0]
    assert '<a href="../../docs/explanation/dataset.md#near-duplicates">' in figure


def test_a_figure_is_enlarged_without_a_script(page):
    assert '<figure id="fig3-large" class="narrow">' in page and 'href="#fig3-large" title="Enlarge"' in page


def test_contents_are_folded_by_section(page):
    nav = page[page.index("<nav") : page.index("</nav>")]
    assert nav.count("<details>") == 1 and '<a href="#fig3">Figure 3</a>' in nav


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
    file.write_text(page)
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


def anchors(text):
    """The headings of a page of Markdown as links name them."""
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.skipif(not (ROOT / "docs/explanation").is_dir(), reason="a checkout without documentation")
def test_each_section_is_there_once_and_its_methods_are_explained_where_the_page_says_so():
    assert [section for section, _ in groupby(ARTIFACTS, lambda one: one.section)] == list(METHODS)  # each once
    for method in {*METHODS.values(), *(one.method for one in ARTIFACTS if one.method)}:
        file, _, anchor = method.partition("#")
        text = (ROOT / "docs/explanation" / file).read_text(encoding="utf-8")
        assert not anchor or anchor in anchors(text), method
