"""The cut's tables recompute from its measures; its page opens in a browser; Snakemake's own report is built."""

import re
import zipfile

import pytest
from browser import CHROMIUM, Browser
from recompute import Results

COMPLAINTS = {"Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown"}
FIGURES = {"10", "11", "12", "2", "3", "4", "6", "7", "8"}


def test_tables_and_figures_recompute_from_the_measures(undisturbed):
    assert Results(undisturbed.results).check() > 1000


def test_numbers_for_a_manuscript_are_there_and_filled(undisturbed):
    lines = (undisturbed.results / "tables/numbers.tex").read_text(encoding="utf-8").splitlines()[1:]
    found = dict(re.fullmatch(r"\\newcommand\{\\([A-Za-z]+)\}\{(.*)\}", line).groups() for line in lines)
    assert found["StudyLanguages"] == "3"
    assert re.fullmatch(r"\d+\.\d\d", found["AsrRefuseuTestSmallBalancedAll"])
    assert {name[: len("KappaPrompts")] for name in found} >= {"KappaPrompts", "CountDataset"}


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here; install Debian's package chromium")
def test_the_report_opens_from_disk_without_errors_or_requests(undisturbed, tmp_path):
    page = undisturbed.results / "report.html"
    browser = Browser(tmp_path)
    try:
        browser.open(page)
        assert [url for url in browser.requests() if not url.startswith("data:")] == [page.as_uri()]
        for width in (1200, 390):
            browser.ask("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=True)
            assert browser.js("document.documentElement.scrollWidth") <= width
        assert browser.js("[...document.images].every(image => image.naturalWidth > 200)")
        targets = browser.js("[...document.querySelectorAll('nav a')].map(link => link.getAttribute('href'))")
        assert {f"#fig{n}" for n in FIGURES} | {"#table1", "#published_table", "#claims", "#run"} <= set(targets)
        assert browser.js("[...document.querySelectorAll('nav a')].every(link => document.querySelector(link.hash))")
        links = set(browser.js("[...document.querySelectorAll('section a')].map(link => link.getAttribute('href'))"))
        assert all((undisturbed.results / link).is_file() for link in links if not link.startswith("#"))
        assert not browser.js("document.getElementById('examples')")  # off unless asked for
        assert [event for event in browser.events if event.get("method") in COMPLAINTS] == []
    finally:
        browser.close()


def test_snakemakes_own_report_is_built_offline_with_sections_and_titles(undisturbed):
    ended = undisturbed.snakemake(*undisturbed.arguments("--report", "report.zip"))
    assert ended.returncode == 0, ended.stderr[-4000:]
    with zipfile.ZipFile(undisturbed.folder / "report.zip") as archive:
        names = archive.namelist()
        text = archive.read(next(name for name in names if name.endswith("report.html"))).decode()
    for part in ("The dataset", "Safety", "Table 1. ASR on RefusEU-test", "Figure 3. ASR on RefusEU-test"):
        assert part in text
    assert sum(name.endswith(".png") for name in names) >= len(FIGURES)
