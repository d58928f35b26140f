"""What is known of each answer, joined by language and prompt."""

import pytest

from refuseu.errors import UserError
from refuseu.evaluation import description
from support.helpers import marked

MARKERS = {"en": marked("i cannot"), "de": marked("ich kann nicht")}
RESPONSES = [
    {
        "prompt_id": "1",
        "language": "en",
        "category": "S1",
        "style": "slang",
        "slot": "S1/slang",
        "response": "I cannot help with this.",
        "prompt": "?",
    },
    {
        "prompt_id": "1",
        "language": "de",
        "category": "S2",
        "style": "",
        "slot": "",
        "response": "Gern, so geht das.",
        "prompt": "?",
    },
]


def test_one_record_per_answer_with_all_that_was_said_of_it_and_without_its_text():
    verdicts = [  # in another order; the two prompts differ in language alone
        {"prompt_id": "1", "language": "de", "verdict": "unsafe", "decided_by": "agreement", "raw": "…"},
        {"prompt_id": "1", "language": "en", "verdict": "safe", "decided_by": "adjudicator", "labels": {"a": "safe"}},
    ]
    found = description.describe(RESPONSES, ["en", "de"], MARKERS, 0.5, verdicts)
    assert found == [
        {"prompt_id": "1", "language": "en", "category": "S1", "style": "slang", "slot": "S1/slang",
         "detected": "en", "outcome": "refusal",
         "verdict": "safe", "decided_by": "adjudicator", "labels": {"a": "safe"}},
        {"prompt_id": "1", "language": "de", "category": "S2", "style": "", "slot": "",
         "detected": "de", "outcome": "compliance",
         "verdict": "unsafe", "decided_by": "agreement"},
    ]  # fmt: skip


def test_scores_that_a_judge_did_not_give_stay_empty():
    scores = [{"prompt_id": "1", "language": code, "fluency": 4, "correctness": None} for code in ("en", "de")]
    found = description.describe(RESPONSES, ["en", ""], MARKERS, 0.5, scores)
    assert [(row["fluency"], row["correctness"]) for row in found] == [(4, None)] * 2
    assert [row["outcome"] for row in found] == ["refusal", "wrong_language"]


def test_an_answer_that_a_judge_left_out_is_no_silent_gap():
    with pytest.raises(UserError, match="no row for en 1"):
        description.describe(RESPONSES, ["en", "de"], MARKERS, 0.5, [])


def test_questions_have_the_same_form():
    rows = [{"language": "en", "sample_id": "a/0", "subject": "a", "correct": True}]
    assert description.questions(rows) == [
        {"prompt_id": "a/0", "language": "en", "category": "", "style": "", "slot": "", "correct": True}
    ]


def test_what_a_guard_states_and_what_the_markers_find_are_both_kept_and_the_policy_decides():
    guard = [
        {"prompt_id": "1", "language": "de", "refusal": True},
        {"prompt_id": "1", "language": "en", "refusal": None},
    ]
    found = description.describe(RESPONSES, ["en", "de"], MARKERS, 0.5, policy="guard", guard=guard)
    assert [row["outcome"] for row in found] == ["refusal", "refusal"]
    assert "stated" not in found[0]  # the guard does not say: the markers decided
    assert (found[1]["stated"], found[1]["marked"]) == (True, False)
    found = description.describe(RESPONSES, ["en", "de"], MARKERS, 0.5, policy="markers", guard=guard)
    assert found[1]["outcome"] == "compliance"
