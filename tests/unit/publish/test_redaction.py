"""No text is left in a redacted row, and every field of every row is known to hold text or not."""

from typing import get_args, get_type_hints, is_typeddict

import pytest

from refuseu.layouts import FILES, misfits
from refuseu.publish.redaction import PLAIN, TEXTS, anonymous, redacted
from refuseu.rows import Label, Pair, Translation

CANARY = "canary žluťoučký"
TURNS = [{"role": "user", "content": CANARY}, {"role": "assistant", "content": f"No. {CANARY}"}]
PAIR = {"pair_id": "en-S1-1-slang-0", "language": "en", "category": "S1", "activity": "S1-1", "style": "slang",
        "prompt": CANARY, "chosen": TURNS, "rejected": TURNS, "slot": "S1/slang"}  # fmt: skip
LABEL = {"prompt_id": "1", "language": "en", "label": "unsafe", "categories": ["S1"], "unsafe_probability": 0.25,
         "refusal": None, "raw": CANARY}  # fmt: skip
TRANSLATION = {"pair_id": "1", "translations": {"de": CANARY, "pl": CANARY}}


@pytest.mark.parametrize(("row", "kind"), [(PAIR, Pair), (LABEL, Label), (TRANSLATION, Translation)])
def test_a_redacted_row_is_still_one_and_has_no_text(row, kind):
    found = redacted(row)
    assert misfits(found, kind) == []
    assert "canary" in str(row) and "canary" not in str(found)


def test_what_is_counted_of_texts_is_kept():
    found = redacted(PAIR)
    assert len(found["prompt"]) == len(CANARY)
    assert [turn["role"] for turn in found["chosen"]] == ["user", "assistant"]
    assert {key: found[key] for key in PAIR if key not in ("prompt", "chosen", "rejected")} == {
        key: PAIR[key] for key in PAIR if key not in ("prompt", "chosen", "rejected")
    }
    assert redacted(TRANSLATION)["translations"].keys() == {"de", "pl"}


def fields(kind):
    """Names of the fields of a row that hold strings, at any depth; what is inside of a text is text."""
    for name, hint in get_type_hints(kind).items():
        parts = [hint, *get_args(hint), *(deeper for one in get_args(hint) for deeper in get_args(one))]
        if str in parts:
            yield name
        for part in parts:
            if is_typeddict(part) and name not in TEXTS:
                yield from fields(part)


def test_a_new_field_of_a_row_is_declared_as_text_or_not():
    named = {name for found in FILES.values() for kind in found for name in fields(kind)}
    assert TEXTS.isdisjoint(PLAIN)
    assert named <= TEXTS | PLAIN
    assert {"prompt", "response", "raw", "content", "translations", "question"} <= named


def test_annotators_have_no_names_and_keep_their_order():
    rows = [{"annotator": name, "verdict": "safe"} for name in ("Zoë", "anna", "Anna", "zoë")] + [{"verdict": "safe"}]
    found = list(anonymous(rows))
    assert [row.get("annotator") for row in found] == ["annotator_002", "annotator_001", "annotator_001",
                                                       "annotator_002", None]  # fmt: skip
