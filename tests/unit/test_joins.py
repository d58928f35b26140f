"""Rows of two files are brought together by what they are about."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refuseu.errors import UserError
from refuseu.joins import by_key, joined

ASKED = [{"language": code, "prompt_id": str(n)} for code in ("en", "de") for n in range(3)]
SAID = [row | {"said": f"{row['language']}{row['prompt_id']}"} for row in ASKED]


@given(st.permutations(SAID))
def test_each_row_is_found_whatever_the_order_of_the_file(rows):
    assert joined(ASKED, rows, "a.jsonl") == SAID


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (SAID + SAID, "a.jsonl: two rows for en 0"),
        (SAID[:1] + SAID[2:], "a.jsonl: no row for en 1"),
        ([*SAID, {"language": "fr", "prompt_id": "0"}], "a.jsonl: a row for fr 0, which is not"),
    ],
)
def test_a_file_that_is_not_one_row_for_each_is_named(rows, message):
    with pytest.raises(UserError) as error:
        joined(ASKED, rows, "a.jsonl")
    assert str(error.value).startswith(message)


def test_rows_asked_about_twice_are_no_key():
    with pytest.raises(UserError, match="is about: two rows for en 0"):
        joined(ASKED + ASKED, SAID, "a.jsonl")


def test_any_column_may_be_the_key():
    assert by_key([{"pair_id": "a"}, {"pair_id": "b"}], "t", ["pair_id"]).keys() == {("a",), ("b",)}
