"""Annotation sheets: what is drawn, in which order, and what they do not say."""

import csv
import io
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refuseu.audit import sheet as audit_sheet
from refuseu.errors import UserError
from refuseu.records import write_text
from support.helpers import ROOT

TEMPLATE = ROOT / "workflow/templates/audit_sheet.html.j2"
CATEGORIES, STYLES = [f"S{n}" for n in range(1, 15)], [f"style{n}" for n in range(10)]
NAMES = {("category", "S1"): "Gewalt", ("activity", "S1-1"): "eine Tat", ("style", "style0"): "Jugendsprache"}
GUARDED = {("small", "refuseu_test"): "Nein.", ("large", "refuseu_test"): "Gern."}


def pair(number, language="de", category="S1", style="style0", **texts):
    prompt, chosen, rejected = (texts.get(k, f"{k} {number}") for k in ("prompt", "chosen", "rejected"))
    turn = {"role": "user", "content": prompt}
    return {
        "pair_id": f"{language}-{category}-{style}-{number}", "language": language, "category": category,
        "activity": f"{category}-1", "style": style, "prompt": prompt,
        "chosen": [turn, {"role": "assistant", "content": chosen}],
        "rejected": [turn, {"role": "assistant", "content": rejected}],
    }  # fmt: skip


def grid(each=3, **fields):
    return [pair(n, category=c, style=s, **fields) for c in CATEGORIES for s in STYLES for n in range(each)]


def responses(rows, said=GUARDED):
    return {
        run: {row["pair_id"]: {"prompt_id": row["pair_id"], "response": text} for row in rows}
        for run, text in said.items()
    }


def sheet(rows, per_language=4, answers=None, names=NAMES, seed=1):
    return audit_sheet.sample(rows, rows, answers or {}, names, "de", per_language, seed)


def draw(rows, size, seed=1):
    return audit_sheet.draw(rows, "pairs", "de", size, seed)


# What is drawn


def test_every_row_is_drawn_as_often_as_any_other():
    rows = [pair(n, style="common") for n in range(9)] + [pair(9, style="rare")]
    drawn = Counter(row["pair_id"] for seed in range(3000) for row in draw(rows, 2, seed))
    assert sorted(drawn) == sorted(row["pair_id"] for row in rows)
    assert all(abs(count - 600) < 5 * 22 for count in drawn.values())  # binomial: 3000 draws, two of ten each time


def test_a_draw_depends_on_the_seed_and_not_on_the_order_of_the_rows():
    rows = grid()
    assert draw(rows, 20) == draw(rows[::-1], 20)
    assert draw(rows, 20) != draw(rows, 20, seed=2)


def test_a_longer_draw_begins_with_the_shorter_one():
    assert draw(grid(), 40)[:25] == draw(grid(), 25)


def test_every_language_has_its_own_draw():
    rows = grid() + grid(language="en")
    drawn = [audit_sheet.sample(rows, [], {}, {}, code, 30, 1) for code in ("de", "en")]
    slots = [{(row["category"], row["style"], row["pair_id"][-1]) for row in items} for items in drawn]
    assert len(slots[0]) == len(slots[1]) == 30
    assert slots[0] != slots[1]
    assert {row["language"] for row in drawn[1]} == {"en"}


def test_too_few_pairs_are_one_sentence():
    with pytest.raises(UserError, match=r"language 'de' has 2 pairs where audit.per_language asks for 3; lower it"):
        sheet([pair(1), pair(2)], 3)


def test_every_model_answers_the_same_prompts():
    rows = grid()
    judged = [row for row in sheet(rows, 20, responses(rows)) if row["questions"] == ["verdict"]]
    prompts = {model: {row["prompt_id"] for row in judged if row["model"] == model} for model in ("small", "large")}
    assert len(judged) == 40
    assert len(prompts["small"]) == 20
    assert prompts["small"] == prompts["large"]


def test_a_benchmark_without_the_language_gives_no_responses():
    english = grid(language="en")
    items = audit_sheet.sample(grid(), english, responses(english), {}, "de", 5, 1)
    assert [row["model"] for row in items] == [""] * 5


def test_released_rows_without_style_are_not_asked_for_it():
    rows = [row | {"style": "", "activity": ""} for row in grid(1)]
    items = sheet(rows, names={})
    assert {tuple(row["questions"]) for row in items} == {("chosen_is_safe_refusal", "topic_relevance")}
    assert all(row["shown"]["category"] and not row["shown"]["style"] for row in items)


# What an annotator sees


def test_an_item_shows_its_topic_activity_and_style_in_the_language_of_the_sheet():
    [item] = sheet([pair(1)], 1)
    assert item["shown"] == {
        "category": "Gewalt", "activity": "eine Tat", "style": "Jugendsprache", "prompt": "prompt 1",
        "chosen": "chosen 1", "rejected": "rejected 1", "response": "",
    }  # fmt: skip


def test_ids_are_opaque_and_belong_to_the_texts():
    ids = {
        sheet([pair(1, **texts)], 1, seed=seed)[0]["item"]
        for texts in ({}, {"prompt": "x"}, {"chosen": "x"}, {"rejected": "x"})
        for seed in (1, 2)
    }
    assert len(ids) == 8
    assert all(id.startswith("i") and id.isalnum() and len(id) == 11 for id in ids)


def test_the_order_says_nothing_of_category_model_or_prompt():
    rows = grid()
    items = sheet(rows, 60, responses(rows))
    pairs, judged = items[:60], items[60:]
    assert [row["category"] for row in pairs] != sorted(row["category"] for row in pairs)
    models = [row["model"] for row in judged]
    assert 20 < sum(a != b for a, b in pairwise(models)) < 100
    assert [row["item"] for row in items] == [row["item"] for row in sheet(rows[::-1], 60, responses(rows))]


def test_sheets_name_no_model_no_pair_and_no_label_of_a_judge():
    rows = [row | {"labels": {"guard": "unsafe-canary"}} for row in grid()]
    said = {("canary-model", "canary_benchmark"): "Nein."}
    items = sheet(rows, 4, responses(rows, said))
    for text in (audit_sheet.as_csv("mine", items), audit_sheet.as_html(TEMPLATE, "mine", "de", items)):
        assert "canary" not in text
        assert not [row["pair_id"] for row in items if row["pair_id"] and row["pair_id"] in text]
    key = audit_sheet.key(items)
    assert {row["model"] for row in key} == {"", "canary-model"}
    assert not [row for row in key if set(row) != set(audit_sheet.KEY)]


def read(text):
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_the_csv_holds_the_items_with_empty_answers():
    rows = grid()
    items = sheet(rows, 3, responses(rows))
    cells = read(audit_sheet.as_csv("mine", items))
    assert [row["item"] for row in cells] == [row["item"] for row in items]
    asked = [{question for question in audit_sheet.QUESTIONS if row[question] == ""} for row in cells]
    assert asked == [set(row["questions"]) for row in items]
    assert {row["annotator"] for row in cells} == {""}


def test_a_spreadsheet_calculates_nothing_and_all_other_text_is_unchanged():
    nasty = 'a,b;"c"\n\td\r\n{x} \u202e🙂'
    items = sheet([pair(1, prompt="=1+1", chosen=nasty, rejected="-x")], 1)
    [row] = read(audit_sheet.as_csv("mine", items))
    assert (row["prompt"], row["chosen"], row["rejected"]) == ("'=1+1", nasty, "'-x")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_comes_back_from_the_file(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("sheet") / "de.csv"
    write_text(path, audit_sheet.as_csv("mine", sheet([pair(1, prompt=text)], 1)))
    [row] = read(path.read_bytes().decode())
    assert row["prompt"] in (text, f"'{text}")
