"""Which file holds which rows, and what a row must be."""

import pytest

from refuseu.layouts import kinds, misfits
from refuseu.rows import Measure, Pair, Rating, ReleasedPrompt, Verdict

VERDICT = {"prompt_id": "1", "language": "en", "category": "", "verdict": "safe", "decided_by": "agreement",
           "labels": {"a": "safe"}, "categories": ["S1"]}  # fmt: skip
RATING = {"prompt_id": "1", "language": "en", "fluency": 5, "correctness": None}
TURNS = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "No."}]
QUESTION = {"prompt_id": "1", "language": "en", "category": "", "style": "", "slot": "", "correct": True}
PAIR = {"pair_id": "1", "language": "en", "category": "S1", "activity": "a", "style": "b", "prompt": "Hi",
        "chosen": TURNS, "rejected": TURNS}  # fmt: skip


def test_a_file_is_found_by_its_path_below_the_results():
    assert kinds("adjudicate/base-all-s1/refuseu_test.jsonl") == (Verdict,)
    assert kinds("load_dataset/test.jsonl") == (ReleasedPrompt,)
    for other in ("adjudicate/refuseu_test.jsonl", "journal/adjudicate/a/b.jsonl", "adjudicate/a/b.csv"):
        with pytest.raises(LookupError):
            kinds(other)


@pytest.mark.parametrize(
    ("row", "kind", "wrong"),
    [
        (VERDICT, Verdict, []),
        (RATING, Rating, []),
        (PAIR, Pair, []),
        (PAIR | {"slot": "S1/b"}, Pair, []),
        (VERDICT | {"raw": "safe"}, Verdict, ["raw"]),
        ({key: value for key, value in VERDICT.items() if key != "labels"}, Verdict, ["labels"]),
        (VERDICT | {"labels": {"a": None}}, Verdict, ["labels"]),
        (VERDICT | {"categories": [1]}, Verdict, ["categories"]),
        (RATING | {"fluency": 4.0}, Rating, ["fluency"]),
        (RATING | {"fluency": True}, Rating, ["fluency"]),
        (PAIR | {"chosen": [{"role": "user"}]}, Pair, ["chosen"]),
        (QUESTION, Measure, []),
        (QUESTION | {"correct": 1}, Measure, ["correct"]),
    ],
)
def test_what_does_not_fit_a_row_is_named(row, kind, wrong):
    assert misfits(row, kind) == wrong
