"""The miniature's bundled world: all languages have the same, and as much as is promised."""

import csv
import json
from collections import Counter

import pytest

from refuseu.dataset.memory import Memory
from support.helpers import CODES, ROOT

FOLDER = ROOT / "resources/miniature"
MEMORY = Memory(FOLDER / "translation_memory.tsv")
CATEGORIES = [f"S{n}" for n in range(1, 15)]
MMLU = ("en", "de", "fr", "it", "es", "pt", "pl", "cs", "lt")


def sheet(name):
    with open(ROOT / "resources/seeds/pl" / name, encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def questions(code):
    return [json.loads(line) for line in (FOLDER / f"global_mmlu/{code}.jsonl").read_text("utf-8").splitlines()]


def test_there_is_a_corpus_for_each_language_and_for_no_other():
    assert sorted(file.stem for file in (FOLDER / "languages").iterdir()) == sorted(CODES)
    assert sorted(file.stem for file in (FOLDER / "global_mmlu").iterdir()) == sorted(MMLU)


# Seeds and their translations


def test_there_are_38_activities_with_one_each_of_the_two_gravest_categories():
    activities = Counter(row["category"] for row in sheet("activities.tsv"))
    assert sum(activities.values()) == 38
    assert activities == {category: 1 if category in ("S4", "S12") else 3 for category in CATEGORIES}


def test_there_are_ten_styles_of_two_frames():
    styles = [row["style"] for row in sheet("styles.tsv")]
    assert len(styles) == len(set(styles)) == 10
    frames = Counter(key.split("/")[0] for key in MEMORY.segments("frame", "en"))
    assert frames == dict.fromkeys(styles, 2)


@pytest.mark.parametrize("code", CODES)
def test_every_segment_is_translated_and_keeps_its_slots(code):
    for row, text in zip(MEMORY.rows, MEMORY.column(code), strict=True):
        assert text.strip() == text != ""
        for slot in ("{activity}", "{style}", "{category}"):
            assert text.count(slot) == row["pl"].count(slot), (code, row["id"])


@pytest.mark.parametrize("code", CODES)
def test_activities_and_frames_are_all_different(code):
    for kind in ("activity", "frame"):
        texts = list(MEMORY.segments(kind, code).values())
        assert len(set(texts)) == len(texts)


def test_ids_are_there_once():
    ids = [row["id"] for row in MEMORY.rows]
    assert len(set(ids)) == len(ids)


# Texts of each language


def test_all_languages_have_the_same_structure(bundled):
    def shape(value):
        if isinstance(value, dict):
            return {key: shape(inner) for key, inner in value.items()}
        return [sorted(row) if isinstance(row, dict) else type(row) for row in value] if isinstance(value, list) else 0

    for code in CODES:
        assert shape(bundled[code]) == shape(bundled["en"]), code


@pytest.mark.parametrize("code", CODES)
def test_each_language_has_as_much_as_is_promised(bundled, code):
    texts = bundled[code]
    assert texts["language"] == code
    counts = {"refusals": 6, "compliances": 4, "benign": 40, "fluency": 10}
    for key, least in counts.items():
        assert len(texts[key]) >= least
    assert len({row["kind"] for row in texts["fluency"]}) == 3


@pytest.mark.parametrize("code", CODES)
def test_no_text_is_there_twice_or_in_two_languages(bundled, code):
    def flat(texts):
        asked = [row["q"] for kind in ("benign", "fluency") for row in texts[kind]]
        return texts["refusals"] + texts["compliances"] + asked

    own = flat(bundled[code])
    assert len(set(own)) == len(own)
    for other in CODES:
        if other != code:
            assert not set(own) & set(flat(bundled[other])), other


@pytest.mark.parametrize("code", CODES)
def test_fragments_have_the_slot_of_the_activity_once(bundled, code):
    assert set(bundled[code]["fragments"]) == {"rtp_lx", "polyglotox"}
    for fragments in bundled[code]["fragments"].values():
        assert all(text.count("{activity}") == 1 for text in fragments)


# Questions of knowledge


@pytest.mark.parametrize("code", MMLU)
def test_there_are_sixty_questions_in_six_subjects(code):
    rows = questions(code)
    assert len(rows) >= 60
    assert len({row["subject"] for row in rows}) == 6
    assert len({row["sample_id"] for row in rows}) == len(rows)


@pytest.mark.parametrize("code", MMLU)
def test_questions_have_four_different_options_and_no_favourite_answer(code):
    rows = questions(code)
    for row in rows:
        assert len({row[f"option_{x}"] for x in "abcd"}) == 4, row["sample_id"]
    answers = Counter(row["answer"] for row in rows)
    assert set(answers) == set("ABCD")
    assert max(answers.values()) <= len(rows) / 2


def test_the_same_question_has_the_same_answer_in_every_language():
    english = [(row["sample_id"], row["subject"], row["answer"]) for row in questions("en")]
    for code in MMLU:
        assert [(row["sample_id"], row["subject"], row["answer"]) for row in questions(code)] == english
