"""Texts that nobody trusts on every way out: nothing runs, nothing is lost, and sheets come back as they were."""

import csv
import io
import json
import logging
import re
import shutil
import subprocess
from html.parser import HTMLParser

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refuseu import pages, safe
from refuseu.analysis.metrics import write_csv
from refuseu.artifacts import answers, plots, report, tables
from refuseu.artifacts.latex_macros import macro_name
from refuseu.audit import returned, sheet
from refuseu.errors import UserError
from refuseu.job.journal import Journal
from refuseu.records import read_jsonl, write_jsonl
from support.browser import CHROMIUM, Browser
from support.helpers import ROOT
from support.hostile import FORMULAS, HALVES, LONG, PAGES, TEXTS

OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
CALCULATED = tuple("=+-@＝＋－＠\t\r\n")


# Spreadsheets


def items():
    """A sheet with every text in every place."""
    rows = []
    for n in range(len(TEXTS)):
        prompt, chosen, rejected = (TEXTS[(n + shift) % len(TEXTS)] for shift in range(3))
        sides = {"chosen": [{"content": chosen}], "rejected": [{"content": rejected}]}
        about = {"language": "pl", "category": "S1", "style": "slang", "activity": "S1-1", "pair_id": f"p{n}"}
        rows.append(about | sides | {"prompt": prompt})
    return sheet.sample(rows, [], {}, {}, "pl", len(rows), 1)


def test_no_cell_of_a_sheet_is_calculated_and_every_text_comes_back():
    shown = items()
    rows = list(csv.DictReader(io.StringIO(sheet.as_csv("mine", shown).removeprefix("\ufeff"), newline="")))
    for row, item in zip(rows, shown, strict=True):
        for name, text in item["shown"].items():
            assert not row[name].lstrip().startswith(CALCULATED)
            assert safe.from_cell(row[name]) == text


@given(st.text())
def test_any_text_comes_back_from_a_cell(text):
    assert safe.from_cell(safe.cell(text)) == text


def test_a_comment_comes_back_from_a_returned_sheet_as_it_was(tmp_path):
    [item] = items()[:1]
    columns = ["item", "study", "language", "annotator", *sheet.QUESTIONS, "comment"]
    for text in (text for text in FORMULAS if text == text.strip()):
        out = io.StringIO()
        writer = csv.DictWriter(out, columns, restval="")
        writer.writeheader()
        about = {"item": item["item"], "study": "mine", "language": "pl", "annotator": "Ann"}
        writer.writerow(about | {"topic_relevance": "yes", "comment": safe.cell(text)})
        (tmp_path / "a.csv").write_text(out.getvalue(), encoding="utf-8", newline="")
        [row] = returned.read_answers([tmp_path / "a.csv"], sheet.key([item]), "mine")
        assert row["comment"] == text


def test_a_cell_holds_no_more_than_a_spreadsheet_can_and_says_so():
    text = safe.cell(LONG)
    assert len(text) < 32_768
    assert text.endswith("the form has it whole]")


def test_text_columns_of_tables_are_not_calculated_and_numbers_stay_numbers(tmp_path):
    frame = pd.DataFrame({"category": FORMULAS, "value": [-0.5] * len(FORMULAS), "text": ["-0.5"] * len(FORMULAS)})
    write_csv(tmp_path / "a.csv", frame)
    with open(tmp_path / "a.csv", encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert not [row for row in rows if row["category"].lstrip().startswith(CALCULATED)]
    assert {(row["value"], row["text"]) for row in rows} == {("-0.5", "-0.5")}
    assert frame["category"].tolist() == FORMULAS  # the frame itself is as it was


# Pages

ESCAPED = re.compile(r"\[U\+([0-9A-F]{4,5})\]")


def read_as_shown(text):
    """A text of a page with the signs that were named in it."""
    return ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


def lines(text):
    """As a browser reads ends of lines."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def test_a_page_holds_every_text_as_text(tmp_path):
    layout = tmp_path / "page.j2"
    layout.write_text('{% for text in texts %}<p title="{{ text }}">{{ text }}</p>\n{% endfor %}')
    page = pages.html(layout, texts=[*TEXTS, *HALVES, LONG])
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]", page)
    page.encode()
    tags = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: tags.append((tag, [name for name, _ in attributes]))
    parser.feed(page)
    assert tags == [("p", ["title"])] * (len(TEXTS) + 3)


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here; install Debian's package chromium")
def test_in_a_browser_nothing_runs_in_form_report_and_answers(tmp_path):
    shown = items()
    form, page = tmp_path / "form.html", tmp_path / "report.html"
    form.write_text(sheet.as_html(ROOT / "workflow/templates/audit_sheet.html.j2", "mine", "pl", shown), newline="")
    examples = [report.Example("Polish", (text, text), [("run", "safe", text, text)]) for text in [*TEXTS, LONG]]
    entry = report.Entry(
        {"target": "table1", "section": "Safety", "title": "Table", "csv": "tables/a.csv"},
        "", header=["Category", "A"], rows=[(False, [text, text]) for text in TEXTS], note=PAGES[0],
    )  # fmt: skip
    claims = pd.DataFrame(columns=["id"])
    layout = ROOT / "workflow/report/page.html.j2"
    page.write_text(report.page(layout, "mine", [], claims, [entry], "snakemake", examples=examples), newline="")
    write_answers(tmp_path, [*TEXTS, LONG])
    browser = Browser(tmp_path)
    try:
        browser.open(form)
        found = browser.js("""[...document.querySelectorAll("article .text")].map((element) => element.textContent)""")
        sides = [[item["shown"][part] for part in ("prompt", "chosen", "rejected")] for item in shown]
        assert [read_as_shown(text) for text in found] == [lines(text) or "(empty)" for side in sides for text in side]
        assert browser.js("document.querySelectorAll('script').length") == 1
        browser.open(page)
        cells = browser.js("[...document.querySelectorAll('#table1 td:first-child')].map((cell) => cell.textContent)")
        assert [read_as_shown(text) for text in cells] == [lines(text) for text in TEXTS]
        assert browser.js("document.querySelectorAll('script, img, svg, iframe').length") == 0
        browser.open(tmp_path / "answers/index.html")
        wait = "new Promise((done) => (function look() { left ? done(left.rows.length) : setTimeout(look, 10); })())"
        rows = browser.ask("Runtime.evaluate", expression=wait, awaitPromise=True)["result"]["value"]
        assert rows == len(TEXTS) + 1
        browser.js("reveal()")
        for place, text in enumerate(TEXTS):
            browser.js(f"go({place})")
            said = browser.js("document.querySelector('#detail section .text').textContent")
            assert read_as_shown(said) == (text or "(empty)")
        browser.js(f"go({len(TEXTS)})")
        assert browser.js("document.querySelector('#detail section .text').textContent.length") == len(LONG)
        assert browser.js("document.querySelectorAll('img, svg, iframe').length") == 0
        assert "broken" not in browser.js("document.title")
        asked = [url for url in browser.requests() if not url.startswith(("data:", "file:", "about:"))]
        assert asked == []
        assert [event for event in browser.events if event.get("method") == "Runtime.exceptionThrown"] == []
    finally:
        browser.close()


def write_answers(folder, texts):
    """The page of answers of one run that said these texts, also as category and style."""
    about = [{"prompt_id": str(n), "language": "en", "category": "S1"} for n in range(len(texts))]
    measures = {"detected": "en", "outcome": "compliance", "verdict": "safe", "decided_by": "agreement", "labels": {}}
    files = [folder / name for name in ("r.jsonl", "m.jsonl", "p.jsonl")]
    write_jsonl(files[0], [a | {"prompt": t, "response": t} for a, t in zip(about, texts, strict=True)])
    write_jsonl(files[1], [a | measures for a in about])
    write_jsonl(files[2], [a | {"prompt": t, "style": t[:100]} for a, t in zip(about, texts, strict=True)])
    models = {"base": {"model": "base", "base": "base", "variant": "abliterated", "method": "base", "seed": ""}}
    runs = {("base", "refuseu_test"): tuple(map(str, files))}
    layout, script = (ROOT / "workflow/report" / name for name in ("answers.html.j2", "answers.js"))
    page = answers.as_html(layout, script, "mine", runs, models, True)
    answers.write(folder / "answers", page, runs, models, [], True)


# Papers


def tex(texts):
    """A table with these texts in all its places."""
    grid = pd.DataFrame(
        [[text, text] for text in texts],
        index=pd.Index(texts, name="category"),
        columns=pd.MultiIndex.from_tuples([(texts[0], text) for text in texts[:2]]),
    )
    return tables.latex(grid, texts[0], [texts[-1]])


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_for_latex_holds_no_command_and_stays_on_its_line(text):
    left = safe.latex(text)
    for command in (*safe.LATEX.values(), "{[}", "{*}"):
        left = left.replace(command, "")
    assert not re.search(r"[\\{}&%_#$~^\n]", left)
    assert not OBEYED.search(left) and not safe.latex(text).startswith(("[", "*"))


def test_names_of_macros_are_letters_whatever_they_are_made_of():
    for text in TEXTS:
        assert re.fullmatch("[A-Za-z]*", macro_name("asr", text))


@pytest.mark.skipif(shutil.which("lualatex") is None, reason="no LaTeX here; install Debian's texlive-luatex")
def test_latex_prints_every_text_and_obeys_none(tmp_path):
    (tmp_path / "table.tex").write_text(tex([text for text in TEXTS if text]))
    head = r"\documentclass{article}\usepackage{booktabs,graphicx}\begin{document}\input{table}\end{document}"
    (tmp_path / "a.tex").write_text(head)
    command = ["lualatex", "--no-shell-escape", "--interaction=nonstopmode", "--halt-on-error", "a.tex"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout[-2000:]
    assert sorted(file.suffix for file in tmp_path.iterdir()) == [".aux", ".log", ".pdf", ".tex", ".tex"]


# Figures


def test_a_figure_takes_a_name_for_a_name(tmp_path):
    with plots.style(7, 50, 16.0, 7.7) as width:
        figure, ax = plots.plt.subplots(figsize=(width, 2))
        ax.set_title("$\\input{tea}$ $x_")
        figure.savefig(tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size


# Markdown


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_in_a_markdown_table_is_one_cell_without_markup(text):
    page = tables.Page(["Category", "n"], 1, [[text, "1"]], [False], "").markdown()
    *_, row = page.splitlines()
    assert len(page.splitlines()) == 3 and len(re.findall(r"(?<!\\)\|", row)) == 3
    assert not re.search(r"(?<!\\)[<`*~$]|(?<!\\)\]\(", row.replace("\\\\", ""))
    assert not OBEYED.search(row)


# Terminals and logs


@pytest.mark.parametrize("text", [*TEXTS, *HALVES, LONG], ids=range(len(TEXTS) + 3))
def test_errors_and_logs_show_what_is_hidden_in_a_text(text):
    said = str(UserError(f"a server said {text}"))
    assert not OBEYED.search(said) and len(said) < 5000
    line = safe.Formatter("%(message)s").format(logging.LogRecord("refuseu", 20, "", 1, "%s", (text,), None))
    assert not OBEYED.search(line)
    line.encode()


# Files


def test_half_a_character_stops_no_file_and_no_journal(tmp_path):
    whole = [text.encode("utf-8", "replace").decode().replace("?", "\ufffd") for text in HALVES]
    write_jsonl(tmp_path / "a.jsonl", [{"text": text} for text in [*HALVES, *TEXTS, LONG]])
    assert [row["text"] for row in read_jsonl(tmp_path / "a.jsonl")] == [*whole, *TEXTS, LONG]
    journal = tmp_path / "journal.jsonl"
    for _ in range(2):  # the second time from the file
        found = Journal(journal).ask(HALVES, ["a", "b"], lambda asked: ((n, {"text": t}) for n, t in enumerate(asked)))
    assert [row["text"] for row in found] == whole
    assert [json.loads(line)["text"] for line in journal.read_text(encoding="utf-8").splitlines()] == whole
