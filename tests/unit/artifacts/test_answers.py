"""The page on which a person looks through answers, in a real browser: what it shows, hides and does when asked."""

import json
import random

import pandas as pd
import pytest

from refuseu.artifacts import answers
from refuseu.errors import UserError
from refuseu.records import write_jsonl
from support.browser import CHROMIUM, Browser
from support.helpers import CODES, ROOT

LAYOUT, SCRIPT = ROOT / "workflow/report/answers.html.j2", ROOT / "workflow/report/answers.js"
MODELS = {
    "base": {"model": "base", "base": "base", "variant": "abliterated", "method": "base", "seed": ""},
    "base-balanced-s1": {
        "model": "base-balanced-s1",
        "base": "base",
        "variant": "balanced",
        "method": "dpo",
        "seed": 1,
    },
}
JUDGES = ["guard_a", "guard_b", "adjudicator"]
STYLES = ("slang", "role_play")
NASTY = [
    '</script><script>document.title = "broken"</script> one two three four five six',
    "<img src=x onerror=\"document.title = 'broken'\"> two three four five six seven",
    "\u202eright to left and on and on and on",
    "{{ 7 * 7 }} {% raw %} `back` \\ &lt; &amp;quot; ${document.title = 'broken'} \u2028 \u2029",
    "'); answers = null; document.title = 'broken'; (' a b c d e f",
    "",
]


def made_up(model, number, text=lambda n: f"Prompt {n} with some more words in it", seed=1):
    """Rows of the three files of a run: as many prompts in each language, in two styles and three categories."""
    rng = random.Random(f"{model} {seed}")
    responses, measures, prompts = [], [], []
    for code in CODES:
        for n in range(number):
            about = {"prompt_id": f"{code}-S{n % 3 + 1}-{n}", "language": code, "category": f"S{n % 3 + 1}"}
            verdict, differ = rng.choice(("safe", "unsafe")), rng.random() < 0.1
            said = {"guard_a": verdict, "guard_b": ("unsafe" if verdict == "safe" else "safe") if differ else verdict}
            said |= {"adjudicator": verdict} if differ else {}
            prompts.append(about | {"style": STYLES[n % 2], "prompt": text(n)})
            responses.append(about | {"prompt": text(n), "response": f"{model} says: {text(n + 1)}" if text(n) else "",
                                      "finish_reason": "stop", "prompt_tokens": 1, "completion_tokens": 1})  # fmt: skip
            measures.append(about | {"detected": code, "outcome": "refusal" if verdict == "safe" else "compliance",
                                     "verdict": verdict, "decided_by": "adjudicator" if differ else "agreement",
                                     "labels": said, "stated": verdict == "safe", "marked": n % 4 > 0})  # fmt: skip
    return responses, measures, prompts


def write(folder, number, reveal, text=None, benchmark="refuseu_test"):
    """The page of two runs and its files; gives the rows of each."""
    runs, known = {}, {}
    for model in MODELS:
        known[model] = made_up(model, number, **({"text": text} if text else {}))
        files = [str(folder / "in" / model / f"{kind}.jsonl") for kind in ("responses", "measures", "prompts")]
        for file, rows in zip(files, known[model], strict=True):
            write_jsonl(file, rows)
        runs[model, benchmark] = tuple(files)
    page = answers.as_html(LAYOUT, SCRIPT, "mine", runs, MODELS, reveal)
    answers.write(folder / "answers", page, runs, MODELS, JUDGES, reveal)
    return known


# Files


def test_the_parquet_has_every_row_with_the_labels_of_each_judge(tmp_path):
    known = write(tmp_path, 4, True)
    table = pd.read_parquet(tmp_path / "answers/verdicts.parquet")
    assert len(table) == 2 * 12 * 4
    assert table["response"].tolist() == [row["response"] for rows in known.values() for row in rows[0]]
    assert table["label_guard_b"].tolist() == [row["labels"]["guard_b"] for rows in known.values() for row in rows[1]]
    assert table["fluency"].isna().all()
    first = table.iloc[12 * 4].to_dict()
    assert {key: first[key] for key in ("model", "variant", "seed", "benchmark", "style")} == {
        "model": "base-balanced-s1", "variant": "balanced", "seed": "1", "benchmark": "refuseu_test", "style": "slang"
    }  # fmt: skip


def test_unless_the_config_says_otherwise_no_file_has_more_than_first_words(tmp_path):
    def text(n):
        return f"one two three four five six secret{n}"

    write(tmp_path, 3, False, text=text)
    written = [path for path in (tmp_path / "answers").rglob("*") if path.is_file()]
    assert len(written) == 4
    assert not [path for path in written if b"secret" in path.read_bytes()]
    table = pd.read_parquet(tmp_path / "answers/verdicts.parquet")
    assert set(table["prompt"]) == {"one two three four five six …"}


def test_a_benchmark_without_verdicts_or_scores_is_shown_too(tmp_path):
    files = [tmp_path / name for name in "rmp"]
    about = {"prompt_id": "borderline-en-tea", "language": "en", "category": "homonym"}
    for file, more in zip(files, ({"response": "Yes", "prompt": "Tea?"}, {"outcome": "compliance", "detected": "en"},
                                  {"prompt": "Tea?", "style": ""}), strict=True):  # fmt: skip
        write_jsonl(file, [about | more])
    [row] = answers.read_rows(*map(str, files), True)
    assert row == about | {
        "style": "", "detected": "en", "outcome": "compliance", "verdict": "", "decided_by": "", "labels": {},
        "stated": None, "marked": None, "fluency": None, "correctness": None, "prompt": "Tea?", "response": "Yes",
    }  # fmt: skip


def test_a_response_without_a_measure_is_named(tmp_path):
    files = [tmp_path / name for name in "rmp"]
    write_jsonl(files[0], [{"prompt_id": "1", "language": "en", "response": "x"}])
    write_jsonl(files[1], [])
    write_jsonl(files[2], [{"prompt_id": "1", "language": "en", "prompt": "x"}])
    with pytest.raises(UserError, match="no row for en 1"):
        answers.read_rows(*map(str, files), True)


# The page


in_browser = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here; install Debian's package chromium")


@pytest.fixture
def browse(tmp_path):
    """Open a page of made-up rows in a browser of its own."""
    started = []

    def start(number=20, reveal=True, text=None):
        write(tmp_path, number, reveal, text)
        started.append(Browser(tmp_path))
        started[0].open(tmp_path / "answers/index.html")
        settle(started[0], number * 12)
        return started[0]

    yield start
    started[0].close()


def settle(page, number):
    """Wait until a run of so many rows is loaded."""
    said = f"document.getElementById('status').textContent.endsWith('of {number:,} answers')"
    script = f"new Promise((done) => (function look() {{ {said} ? done(true) : setTimeout(look, 10); }})())"
    assert page.ask("Runtime.evaluate", expression=script, awaitPromise=True)["result"]["value"]


def choose(page, name, value):
    page.js(f"""(() => {{ const field = document.getElementById({json.dumps(name)}); field.value = {json.dumps(value)};
        field.dispatchEvent(new Event("change")); return field.value; }})()""")


def status(page):
    return page.js("document.getElementById('status').textContent")


def detail(page):
    return page.js("document.getElementById('detail').innerText")


def press(page, *keys):
    for key in keys:
        page.js(f"""document.getElementById("list").dispatchEvent(
            new KeyboardEvent("keydown", {{key: {json.dumps(key)}, bubbles: true, cancelable: true}}))""")


def compare(page, number=20):
    choose(page, "right", "base-balanced-s1")
    page.ask(
        "Runtime.evaluate",
        awaitPromise=True,
        expression="""new Promise((done) => (function look() {
        document.querySelectorAll("#detail section").length === 2 ? done(true) : setTimeout(look, 10); })())""",
    )


@in_browser
def test_filters_leave_the_rows_that_pass_them(browse, tmp_path):
    page = browse()
    table = pd.read_parquet(tmp_path / "answers/verdicts.parquet").query("model == 'base'")
    for name, value in (("language", "sl"), ("category", "S2"), ("style", "role_play"), ("verdict", "unsafe")):
        choose(page, name, value)
        table = table[table[name] == value]
        assert status(page) == f"{len(table)} of 240 answers"
    assert page.js("document.querySelectorAll('.row').length") == len(table)
    page.js("document.getElementById('clear').click()")
    assert status(page) == "240 of 240 answers"
    choose(page, "guards", "differ")
    differ = pd.read_parquet(tmp_path / "answers/verdicts.parquet").query(
        "model == 'base' and decided_by != 'agreement'"
    )
    assert status(page) == f"{len(differ)} of 240 answers"
    assert "differ" in detail(page) and "adjudicator" in detail(page)
    choose(page, "guards", "")
    choose(page, "refusal", "differ")
    both = pd.read_parquet(tmp_path / "answers/verdicts.parquet").query("model == 'base' and stated != marked")
    assert status(page) == f"{len(both)} of 240 answers"
    assert "refuses, say the markers" in detail(page)


@in_browser
def test_two_runs_are_seen_side_by_side_and_where_they_differ(browse, tmp_path):
    page = browse()
    compare(page)
    assert "Abliterated (base)" in detail(page) and "Balanced (base, seed 1)" in detail(page)
    choose(page, "between", "verdict")
    table = pd.read_parquet(tmp_path / "answers/verdicts.parquet")
    verdicts = table.pivot(index=["language", "prompt_id"], columns="model", values="verdict")
    assert status(page) == f"{(verdicts['base'] != verdicts['base-balanced-s1']).sum()} of 240 answers"
    press(page, "s")
    settle_first = "document.querySelector('#detail section h3').textContent"
    page.ask(
        "Runtime.evaluate",
        awaitPromise=True,
        expression=f"""new Promise((done) => (function look() {{
        {settle_first} === "Balanced (base, seed 1)" ? done(true) : setTimeout(look, 10); }})())""",
    )


@in_browser
def test_keys_go_through_the_rows_and_the_list_follows(browse):
    page = browse()
    press(page, "j", "ArrowDown", "k", "PageDown")
    assert detail(page).startswith("12 of 240 · en-S3-11")
    press(page, "End")
    assert detail(page).startswith("240 of 240 · lv-S2-19")
    assert page.js("document.querySelector('[aria-selected=true]').id") == "row-239"
    assert page.js("document.getElementById('list').getAttribute('aria-activedescendant')") == "row-239"
    press(page, "Home", "k")
    assert detail(page).startswith("1 of 240 · en-S1-0")
    press(page, "/")
    assert page.js("document.activeElement.id") == "search"


@in_browser
def test_words_are_looked_for_in_prompts_responses_and_ids(browse):
    page = browse()
    page.js("document.getElementById('search').value = 'fr-s1-3'; filter()")
    assert status(page) == "1 of 240 answers"
    page.js("document.getElementById('search').value = 'nowhere'; filter()")
    assert status(page) == "0 of 240 answers" and detail(page) == "No answer passes these filters."


@in_browser
def test_texts_are_hidden_until_they_are_revealed(browse):
    page = browse(text=lambda n: f"one two three four five six secret{n}")
    assert "secret" not in page.js("document.body.innerText")
    press(page, "r")
    assert "secret0" in detail(page) and "secret1" in detail(page)
    page.js("document.getElementById('reveal').click()")
    assert "secret" not in page.js("document.body.innerText")


@in_browser
def test_where_the_config_says_nothing_there_is_nothing_to_reveal(browse):
    page = browse(reveal=False)
    assert not page.js("document.getElementById('reveal').checkVisibility()")
    press(page, "r")
    assert "Prompt 0 with some more words …" in detail(page)
    assert "report.reveal" in page.js("document.body.innerText")


@in_browser
def test_no_text_becomes_anything_but_text(browse, tmp_path):
    page = browse(number=len(NASTY), text=lambda n: NASTY[n % len(NASTY)])
    compare(page)
    press(page, "r")
    for n, text in enumerate(NASTY):
        shown = page.js("document.querySelector('#detail > .text').textContent")
        assert shown == (text or "(empty)").replace("\u202e", "[U+202E]"), n
        press(page, "j")
    assert page.js("document.title") == "Answers of the study “mine”"
    assert page.js("document.querySelectorAll('img').length + document.querySelectorAll('script').length") == 2
    assert {url.split("/")[-1] for url in page.requests()} == {"index.html", "refuseu_test.js"}
    assert [event for event in page.events if event["method"] in ("Log.entryAdded", "Runtime.exceptionThrown")] == []


@in_browser
@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wider_than_the_window(browse, width):
    page = browse(text=lambda n: f"{'x' * 3000} {n}")
    compare(page)
    press(page, "r")
    page.ask("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 500)
    assert page.js("document.documentElement.scrollWidth") <= width


@in_browser
def test_a_missing_file_is_said(browse, tmp_path):
    page = browse()
    (tmp_path / "answers/data/base-balanced-s1/refuseu_test.js").unlink()
    choose(page, "right", "base-balanced-s1")
    page.ask(
        "Runtime.evaluate",
        awaitPromise=True,
        expression="""new Promise((done) => (function look() {
        document.getElementById("status").textContent.includes("missing") ? done(true) : setTimeout(look, 10); })())""",
    )


@in_browser
def test_of_a_whole_study_only_what_is_seen_is_drawn(browse, tmp_path):
    page = browse(number=1400)
    compare(page)
    assert status(page) == "16,800 of 16,800 answers"
    assert page.js("document.querySelectorAll('.row').length") < 60
    press(page, "End")
    assert detail(page).startswith("16800 of 16800")
    assert page.js("document.querySelectorAll('.row').length") < 60
    choose(page, "between", "outcome")
    assert 0 < int(status(page).split()[0].replace(",", "")) < 16_800
