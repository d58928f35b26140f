"""The annotation form in a real browser: what it shows, keeps and exports, and that it sends nothing."""

import json
import random

import pytest

from refuseu.audit import returned, sheet
from support.browser import CHROMIUM, Browser
from support.helpers import ROOT

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here; install Debian's package chromium")

NASTY = [
    "{braces} {{ 7 * 7 }} {% raw %} {# comment #}",
    """"double" 'single' `back` \\ &lt; &amp;quot; <b>bold</b>""",
    '</script><script>document.title = "broken"</script>',
    "<img src=x onerror=\"document.title = 'broken'\"> </div></article></form> <!--",
    "\n\n leading and trailing lines \t\n",
    "\u202eright to left\u202c \u200fעברית\u200f عربى \u2066isolated\u2069",
    "🙂 👩‍👩‍👧 \U0001f1ea\U0001f1fa \u2028 \u2029 \ufeff \u00ad",
    "x" * 20_000,
]
KEY_FIELDS = {"language": "pl", "category": "S1", "style": "slang", "activity": "S1-1"}


@pytest.fixture(scope="module")
def items():
    """One pair per nasty text, each text once in every place, and two responses."""
    rows = []
    for n, _ in enumerate(NASTY):
        prompt, chosen, rejected = (NASTY[(n + shift) % len(NASTY)] for shift in range(3))
        sides = {"chosen": [{"content": chosen}], "rejected": [{"content": rejected}]}
        rows.append(KEY_FIELDS | {"pair_id": f"p{n}", "prompt": prompt} | sides)
    said = {("small", "refuseu_test"): {"p2": {"response": NASTY[2]}, "p3": {"response": ""}}}
    names = {("category", "S1"): NASTY[0], ("activity", "S1-1"): NASTY[2], ("style", "slang"): NASTY[5]}
    pairs = sheet.sample(rows, [], {}, names, "pl", len(rows), 1)
    return pairs + sheet.sample(rows[2:4], rows, said, names, "pl", 2, 1)[2:]


@pytest.fixture(scope="module")
def form(items, tmp_path_factory):
    path = tmp_path_factory.mktemp("sheet") / "pl.html"
    path.write_text(sheet.as_html(ROOT / "workflow/templates/audit_sheet.html.j2", "mine", "pl", items))
    return path


@pytest.fixture
def browse(form, tmp_path):
    """Open the form in a browser of its own; again in the same one after it was closed."""
    started = []

    def start():
        if started:
            started[-1].close()
        started.append(Browser(tmp_path))
        started[-1].open(form)
        return started[-1]

    yield start
    started[-1].close()


def choose(page, item, question, answer):
    page.js(f"""document.querySelector('[name="{item} {question}"][value={answer}]').click()""")


def fill(page, items):
    """Random answers to everything, by item."""
    rng = random.Random(1)
    wanted = {}
    for row in items:
        said = {question: rng.choice(sheet.QUESTIONS[question].answers) for question in row["questions"]}
        for question, answer in said.items():
            choose(page, row["item"], question, answer)
        wanted[row["item"]] = said
    return wanted


def name(page, text):
    page.js("document.querySelector('[name=annotator]').focus()")
    page.type(text)


def test_every_text_is_shown_as_it_is_and_none_of_them_runs(browse, items):
    page = browse()
    shown = json.loads(
        page.js("""JSON.stringify([...document.querySelectorAll("article")].map((article) =>
        [article.dataset.item, [...article.querySelectorAll("dd, .text")].map((element) => element.textContent)]))""")
    )
    wanted = []
    for row in items:
        about = ("category", "activity", "style") if row["pair_id"] else ()
        sides = ("chosen", "rejected") if row["pair_id"] else ("response",)
        wanted.append([row["item"], [row["shown"][part] or "(empty)" for part in (*about, "prompt", *sides)]])
    assert shown == wanted
    assert page.js("document.title") == "Audit of “mine”: Polish"
    assert page.js("document.querySelectorAll('script').length") == 1
    assert page.js("document.querySelectorAll('img').length") == 0
    assert page.js("document.querySelector('.text').lang + document.querySelector('.text').dir") == "plauto"


def test_nothing_is_loaded_and_nothing_is_wrong(browse, form, items):
    page = browse()
    fill(page, items)
    assert page.requests() == [form.as_uri()]
    assert [event for event in page.events if event["method"] in ("Log.entryAdded", "Runtime.exceptionThrown")] == []


def test_the_rejected_answer_is_hidden_behind_a_click(browse):
    page = browse()
    seen = "document.querySelector('details .text').checkVisibility()"
    assert not page.js("document.querySelector('details').open") and not page.js(seen)
    page.js("document.querySelector('summary').click()")
    assert page.js(seen)


def test_what_is_filled_in_is_exported_and_read(browse, items):
    page = browse()
    name(page, "Ann Łoś / 1")
    wanted = fill(page, items)
    page.js(f"""document.querySelector('[name="{items[0]["item"]} comment"]').focus()""")
    page.type('fine </script> "quoted"')
    assert page.js("document.getElementById('count').textContent") == "26 of 26 answered"
    page.js("document.getElementById('export').click()")
    file = page.downloaded()
    assert file.name == "mine-pl-Ann_Łoś_1.json"
    records = returned.read_answers([file], sheet.key(items), "mine")
    found = {}
    for row in records:
        found.setdefault(row["item"], {})[row["question"]] = row["answer"]
    assert found == wanted
    assert {(row["language"], row["annotator"]) for row in records} == {("pl", "Ann Łoś / 1")}
    assert [row["comment"] for row in records if row["item"] == items[0]["item"]] == ['fine </script> "quoted"'] * 3
    assert page.js("document.getElementById('status').textContent") == "Exported, complete."


def test_closing_loses_nothing_and_the_next_open_question_is_found(browse, items):
    page = browse()
    name(page, "Ann")
    choose(page, items[0]["item"], "chosen_is_safe_refusal", "no")
    page = browse()
    assert page.js("document.querySelector('[name=annotator]').value") == "Ann"
    assert page.js("document.getElementById('count').textContent") == "1 of 26 answered"
    page.js("document.getElementById('next').click()")
    assert page.js("document.activeElement.name") == f"{items[0]['item']} topic_relevance"
    page.js("document.getElementById('export').click()")
    content = json.loads(page.downloaded().read_text(encoding="utf-8"))
    assert content["answers"] == [{"item": items[0]["item"], "chosen_is_safe_refusal": "no"}]
    assert page.js("document.getElementById('status').textContent") == "Exported; 25 still open."


def test_the_form_is_usable_by_keyboard(browse, items):
    page = browse()
    name(page, "Ann")
    for _ in range(2):  # over the rejected answer to the first question
        page.press("Tab")
    page.press(" ", " ")
    page.press("ArrowRight")
    page.press("Tab")
    assert page.js("document.querySelector(':checked').value") == "no"
    assert page.js("document.activeElement.name") == f"{items[0]['item']} topic_relevance"
    assert page.js("[...document.querySelectorAll('input, textarea')].every((field) => field.labels.length === 1)")


def test_without_a_name_nothing_is_exported(browse):
    page = browse()
    page.js("document.getElementById('export').click()")
    assert page.js("document.getElementById('status').textContent") == "Write your name or code first."
    assert page.js("document.activeElement.name") == "annotator"


def test_all_answers_are_removed_only_when_confirmed(browse, items):
    page = browse()
    choose(page, items[0]["item"], "topic_relevance", "yes")
    for accept, left in ((False, "1 of 26 answered"), (True, "0 of 26 answered")):
        page.js("setTimeout(() => document.getElementById('clear').click())")
        page.wait("Page.javascriptDialogOpening")
        page.ask("Page.handleJavaScriptDialog", accept=accept)
        assert page.js("document.getElementById('count').textContent") == left
    assert page.js("localStorage.getItem(place)") == "[]"
