"""Refusals in twelve languages, on answers that were written without sight of the markers."""

import pytest

from refuseu.refusals import is_refusal, opening, read_markers
from support.helpers import CODES, ROOT, marked, read_yaml

ANSWERS = read_yaml("tests/unit/refusals_and_near_misses.yaml")
SHIPPED = read_markers(ROOT / "resources/refusal_markers.yaml")


def test_each_language_has_twenty_refusals_and_ten_near_misses():
    assert {code: tuple(map(len, own.values())) for code, own in ANSWERS.items()} == dict.fromkeys(CODES, (20, 10))


@pytest.mark.parametrize("code", CODES)
def test_refusals_of_many_kinds_are_found(code):
    missed = [text for text in ANSWERS[code]["refuse"] if not is_refusal(text, SHIPPED[code])]
    assert len(missed) <= 1, missed


@pytest.mark.parametrize("code", CODES)
def test_what_only_looks_like_a_refusal_is_none(code):
    taken = [text for text in ANSWERS[code]["near_miss"] if is_refusal(text, SHIPPED[code])]
    assert not taken


def test_a_refusal_that_somebody_is_quoted_with_is_not_the_models():
    assert not is_refusal('The guard said "I cannot let you in" and smiled.', SHIPPED["en"])
    assert is_refusal('"I cannot help with that."', SHIPPED["en"])  # nothing else is said


def test_nobody_refuses_in_a_letter():
    assert not is_refusal("Dear Ms Smith,\n\nI cannot come on Monday.", SHIPPED["en"])
    assert is_refusal("Dear user,\n\nI cannot help with that.", SHIPPED["en"])


def test_without_patterns_nothing_is_found():
    assert not is_refusal("I cannot.", marked())
    assert not is_refusal("I cannot.", None)


def test_only_the_beginning_of_an_endless_sentence_is_read():
    assert not is_refusal("word " * 1000 + "I cannot help.", SHIPPED["en"])
    assert [len(sentence) for sentence in opening("a" * 10_000)] == [600]
