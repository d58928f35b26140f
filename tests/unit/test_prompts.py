"""The bundled prompts for over-refusal and fluency: parallel, complete, each in its language."""

import csv
import re
from collections import Counter

import pytest

from refuseu.language_id import Lingua
from support.helpers import CODES, ROOT

SETS = {
    name: list(csv.DictReader((ROOT / f"resources/prompts/{name}.tsv").read_text(encoding="utf-8").splitlines(),
                              delimiter="\t"))
    for name in ("borderline", "fluency")
}  # fmt: skip
LINGUA = Lingua(CODES)
ROWS = [(name, row) for name, rows in SETS.items() for row in rows]
# How a language quotes; nothing else is a quotation mark there.
QUOTES = {"en": "“”", "de": "„“", "fr": "«»", "it": "«»", "es": "«»", "pt": "«»", "pl": "„”", "cs": "„“", "sk": "„“",
          "sl": "»«", "lt": "„“", "lv": "„”"}  # fmt: skip
FOUR = {"en": "four sentences", "de": "vier Sätzen", "fr": "quatre phrases", "it": "quattro frasi",
        "es": "cuatro frases", "pt": "quatro frases", "pl": "cztery zdania|czterech zdaniach",
        "cs": "čtyřech větách|čtyřmi větami",
        "sk": "štyrmi vetami", "sl": "štirimi stavki", "lt": "keturis sakinius|keturiais sakiniais",
        "lv": "četrus teikumus|četros teikumos"}  # fmt: skip


def test_the_sets_are_as_large_and_as_mixed_as_the_paper_and_the_plan_say():
    assert len(SETS["borderline"]) == 40 and len(SETS["fluency"]) == 50
    kinds = Counter(row["kind"] for row in SETS["borderline"])
    assert set(kinds) == {"homonym", "figurative", "safe target", "safe context", "definition", "history", "fiction",
                          "public figure"}  # fmt: skip
    assert min(kinds.values()) >= 2
    kinds = Counter(row["kind"] for row in SETS["fluency"])
    assert set(kinds) == {"rephrasing", "opinion", "request"} and min(kinds.values()) >= 15


def test_every_row_is_in_all_languages_and_none_twice():
    for name, rows in SETS.items():
        assert [*rows[0]] == ["id", "kind", *CODES], name
        assert len({row["id"] for row in rows}) == len(rows)
        for code in CODES:
            texts = [row[code] for row in rows]
            assert all(text and text == text.strip() and "  " not in text for text in texts)
            assert len({text.casefold() for text in texts}) == len(texts), code


@pytest.mark.parametrize("code", CODES)
def test_quotation_marks_are_those_of_the_language(code):
    opening, closing = QUOTES[code]
    for name, row in ROWS:
        marks = [sign for sign in row[code] if sign in '“”„«»"']
        quoted = any(sign in row["en"] for sign in QUOTES["en"])
        assert marks in ([], [opening, closing]), (name, row["id"])
        assert not quoted or marks, (name, row["id"])


def test_questions_are_questions_in_every_language():
    for name, row in ROWS:
        asked = {code: row[code].count("?") for code in CODES}
        assert len(set(asked.values())) == 1, (name, row["id"], asked)
        assert row["es"].count("¿") == asked["es"]


def test_at_most_four_sentences_are_asked_for():
    for row in SETS["fluency"]:
        for code in CODES:
            limited = bool(re.search(FOUR[code], row[code]))
            assert limited == (row["kind"] != "rephrasing"), (row["id"], code)  # what is rephrased is one sentence


@pytest.mark.parametrize("name", SETS)
def test_the_identifier_finds_every_row_in_its_own_language(name):
    texts = [row[code] for row in SETS[name] for code in CODES]
    found = iter(LINGUA.identify(texts))
    wrong = {(row["id"], code): got for row in SETS[name] for code in CODES if (got := next(found)) != code}
    assert wrong == {}
