"""Errors of judges on answers that people judged, carried to a study, counted by hand."""

import numpy as np
import pandas as pd
import pytest

from refuseu.analysis.validated_errors import (
    AUDIT,
    LABELS,
    corrected_rates,
    decided,
    errors,
    errors_of_claims,
    known_errors,
)

# Ten answers to prompts of a contrast type: people call the first four unsafe.
UNSAFE = [True] * 4 + [False] * 6
PEOPLE = [
    {
        "prompt_id": f"m/{n}",
        "model": "m",
        "people": "compliance",
        "annotators": ["compliance"] * 2,
        "harmful": unsafe,
        "response": "Sure.",
        "language": "en",
    }
    for n, unsafe in enumerate(UNSAFE)
]


def labels(*said):
    return [{"prompt_id": f"m/{n}", "language": "en", "label": label, "refusal": None} for n, label in enumerate(said)]


FIRST = labels("safe", *["unsafe"] * 3, *["safe"] * 6)  # misses one
SECOND = labels(*["unsafe"] * 5, *["safe"] * 5)  # calls one in vain
ARBITER = labels("unsafe", *["safe"] * 9)
SAID = {"first": FIRST, "second": SECOND, "arbiter": ARBITER}


def known(**audit):
    return known_errors(PEOPLE, SAID, ["first", "second"], "arbiter", **audit)


def test_the_adjudicator_decides_where_guards_differ_or_are_not_parsed():
    one, other = labels("safe", "unsafe", "unparsed"), labels("safe", "safe", "unparsed")
    assert [row["label"] for row in decided([one, other], labels("unsafe", "unsafe", "safe"))] == [
        "safe", "unsafe", "safe"
    ]  # fmt: skip


def test_errors_come_from_human_labels_where_there_is_no_audit():
    found = known()
    assert {judge: one.source for judge, one in found.items()} == dict.fromkeys(("final", "first", "second"), LABELS)
    assert found["first"].rates() == {"sensitivity": 0.75, "specificity": 1}
    assert found["second"].rates() == pytest.approx({"sensitivity": 1, "specificity": 5 / 6})
    assert found["final"].rates() == {"sensitivity": 1, "specificity": 1}  # the arbiter is right on both disputes


def test_an_audit_goes_before_human_labels_for_the_judges_that_it_is_about():
    human = [{"model": "run", "language": "pl", "prompt_id": f"{n}", "verdict": said}
             for n, said in enumerate(("unsafe", "unsafe", "safe"))]  # fmt: skip
    rows = [{"language": "pl", "prompt_id": f"{n}", "cluster": f"{n}", "verdict": said, "labels": {"first": "unsafe"}}
            for n, said in enumerate(("unsafe", "safe", "safe"))]  # fmt: skip
    found = known(human=human, verdicts={"run": rows})
    assert {judge: one.source for judge, one in found.items()} == {"final": AUDIT, "first": AUDIT, "second": LABELS}
    assert found["final"].rates() == {"sensitivity": 0.5, "specificity": 1}
    assert found["first"].rates() == {"sensitivity": 1, "specificity": 0}


def items(rate, n=100):
    flags = (np.arange(n) < rate * n).astype(float)
    return pd.DataFrame({"cluster": np.arange(n), "asr": flags, "asr_first": flags, "asr_second": flags})


def test_rates_are_corrected_by_rogan_and_gladen():
    found = corrected_rates(known(), {"run": items(0.3)}, 0.95).set_index(["judge", "metric"])
    value = found["value"]
    assert value["first", "judged"] == value["second", "judged"] == 0.3
    assert value["first", "corrected"] == pytest.approx(0.3 / 0.75)  # a quarter is missed, none called in vain
    assert value["second", "corrected"] == pytest.approx((0.3 + 5 / 6 - 1) / (5 / 6))
    assert value["final", "corrected"] == pytest.approx(0.3)
    low, high = found.loc[("first", "corrected"), ["ci_low", "ci_high"]]
    assert low < 0.4 < high
    assert set(found["errors"]) == {LABELS}


def test_a_judge_no_better_than_chance_corrects_nothing():
    frame = pd.DataFrame(
        {"cluster": range(4), "people": ["yes", "yes", "no", "no"], "judge": ["no", "no", "yes", "no"]}
    )
    found = corrected_rates({"first": errors(LABELS, frame)}, {"run": items(0.3)}, 0.95)
    assert found.set_index("metric")["value"].isna().to_dict() == {
        "sensitivity": False, "specificity": False, "judged": False, "corrected": True
    }  # fmt: skip


def test_answers_that_go_together_make_the_interval_wider():
    wide, narrow = items(0.3), items(0.3)
    wide["cluster"] = np.arange(100) // 10
    widths = []
    for frame in (narrow, wide):
        found = (
            corrected_rates(known(), {"run": frame}, 0.95).set_index(["judge", "metric"]).loc[("final", "corrected")]
        )
        widths.append(found["ci_high"] - found["ci_low"])
    assert widths[0] < widths[1]


def test_claims_stand_beside_the_errors_of_their_judge():
    key = {"claim": "c", "base": "small", "outcome": "held"}
    needed = pd.DataFrame(
        [key | {"judge": judge, "language": code, "value": value}
         for judge in ("final", "first") for code, value in (("en", 2.0), ("all", 0.4))]
    )  # fmt: skip
    found = errors_of_claims(needed, known()).set_index(["judge", "metric"])["value"]
    assert found["first"].to_dict() == pytest.approx({"needed": 0.4, "missed": 0.25, "false_alarms": 0})
    assert found["final"].to_dict() == pytest.approx({"needed": 0.4, "missed": 0, "false_alarms": 0})
