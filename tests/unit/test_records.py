"""Rows on disk: whole or not at all, and every character survives."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refuseu.records import atomic, digest, file_digest, read_jsonl, write_jsonl, write_text

# Whatever UTF-8 can hold.
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(TEXT, JSON)))
def test_records_come_back_as_they_were(tmp_path_factory, records):
    path = tmp_path_factory.mktemp("records") / "a.jsonl"
    write_jsonl(path, records)
    assert read_jsonl(path) == records


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\r", "\n", "\r\n", "\x0b", "\x1c"])
def test_no_character_inside_a_text_ends_its_line(tmp_path, separator):
    write_jsonl(tmp_path / "a", [{"text": f"a{separator}b"}, {"text": "c"}])
    assert read_jsonl(tmp_path / "a") == [{"text": f"a{separator}b"}, {"text": "c"}]


def test_letters_are_written_as_they_are_and_every_line_ends(tmp_path):
    write_jsonl(tmp_path / "a", [{"text": "zażółć 🙂"}, {}])
    assert (tmp_path / "a").read_bytes() == '{"text": "zażółć 🙂"}\n{}\n'.encode()


def test_no_records_are_an_empty_file(tmp_path):
    write_jsonl(tmp_path / "a", [])
    assert (tmp_path / "a").read_bytes() == b""
    assert read_jsonl(tmp_path / "a") == []


def test_a_broken_line_is_an_error_and_never_skipped(tmp_path):
    (tmp_path / "a").write_text('{"a": 1}\n{"a": ')
    with pytest.raises(json.JSONDecodeError):
        read_jsonl(tmp_path / "a")


def test_folders_are_made_on_the_way(tmp_path):
    write_text(tmp_path / "b" / "c" / "a.txt", "é\n")
    assert (tmp_path / "b" / "c" / "a.txt").read_bytes() == "é\n".encode()


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.jsonl"
    write_jsonl(path, [{"n": 1}])

    def rows():
        yield {"n": 2}
        raise RuntimeError("cut")

    with pytest.raises(RuntimeError):
        write_jsonl(path, rows())
    assert read_jsonl(path) == [{"n": 1}]
    assert [file.name for file in tmp_path.iterdir()] == ["a.jsonl"]


def test_nothing_is_at_the_target_before_the_block_ends(tmp_path):
    with atomic(tmp_path / "a") as temporary:
        temporary.write_text("half")
        assert not (tmp_path / "a").exists()
        assert temporary.parent == tmp_path  # the same file system, so the move is atomic
    assert (tmp_path / "a").read_text() == "half"


def test_equal_values_have_equal_digests_and_others_do_not():
    assert digest({"a": 1, "b": [1, "é"]}) == digest({"b": [1, "é"], "a": 1})
    values = [(), ("a",), ("a", "b"), ("ab",), (["a", "b"],), (1,), ("1",), (None,), (1, None), ({"a": None},), ("é",)]
    assert len({digest(*value) for value in values}) == len(values)
    assert digest("a") == hashlib.sha256(b'["a"]').hexdigest()


def test_even_a_lone_surrogate_has_a_digest():
    assert digest("\ud800") != digest("\ud801")


def test_a_files_digest_is_that_of_its_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert file_digest(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()
