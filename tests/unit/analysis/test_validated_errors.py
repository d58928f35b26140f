"""Errors of judges on answers that people judged, carried to a study, counted by hand."""

import numpy as np
import pandas as pd
import pytest

from refuseu.analysis.sensitivity import Gap, wrong
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


def test_the_adjudicator_decides_where_guards_differ_and_where_neither_is_parsed():
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


def test_a_label_that_cannot_be_read_is_in_no_error_and_in_no_rate():
    """One rule on both sides: of an answer that a judge says nothing of, nothing is known."""
    said = SAID | {"first": labels("unparsed", *["unsafe"] * 3, *["safe"] * 5, "unparsed")}
    found = known_errors(PEOPLE, said, ["first", "second"], "arbiter")["first"]
    assert found.rates() == {"sensitivity": 1, "specificity": 1} and len(found.human) == 8
    frame = items(0.5, 10)
    frame.loc[0, "asr_first"] = np.nan
    value = corrected_rates({"first": found}, {"run": frame}, 0.95).set_index("metric")
    assert value.loc[["judged", "corrected"], "value"].tolist() == pytest.approx([4 / 9] * 2)
    assert value.loc["judged", "n"] == 9


def test_answers_that_show_the_errors_are_not_among_those_that_are_corrected():
    """Of ten answers of a run four were audited, one of them by nobody who was sure."""
    said = ["unsafe", "unsafe", "safe", "unsure"]
    human = [{"model": "run", "language": "pl", "prompt_id": f"{n}", "verdict": one} for n, one in enumerate(said)]
    rows = [{"language": "pl", "prompt_id": f"{n}", "cluster": f"{n}", "labels": {},
             "verdict": "unsafe" if n in (0, 3, 4, 5) else "safe"} for n in range(10)]  # fmt: skip
    found = known(human=human, verdicts={"run": rows})["final"]
    assert found.rates() == {"sensitivity": 0.5, "specificity": 1}
    assert found.answers == {("run", "pl", f"{n}") for n in range(3)}
    frame = pd.DataFrame({"language": "pl", "prompt_id": [f"{n}" for n in range(10)], "cluster": range(10),
                          "asr": [float(row["verdict"] == "unsafe") for row in rows]})  # fmt: skip
    value = corrected_rates({"final": found}, {"run": frame, "other": frame}, 0.95).set_index(["model", "metric"])
    assert value.loc[("run", "judged"), ["value", "n"]].tolist() == [0.4, 10]
    assert value.loc[("run", "corrected"), ["value", "n"]].tolist() == pytest.approx([3 / 7 / 0.5, 7])
    assert value.loc[("other", "corrected"), ["value", "n"]].tolist() == pytest.approx([0.4 / 0.5, 10])


def test_an_audit_shares_its_clusters_with_the_other_answers():
    """A judge finds the unsafe answers of some slots, where it is then also right on the answers not audited."""
    slots = np.repeat(np.arange(20), 10)
    frame = pd.DataFrame({"source": "pl", "model": "run", "prompt_id": np.arange(200).astype(str), "cluster": slots,
                          "people": ["yes", "no"] * 100, "judge": ["no"] * 200})  # fmt: skip
    frame.loc[(frame["people"] == "yes") & (slots < 16), "judge"] = "yes"
    rest = pd.DataFrame({"language": "pl", "prompt_id": np.arange(200, 400).astype(str), "cluster": slots,
                         "asr": np.where((slots < 16) & (np.arange(200) % 2 == 0), 1.0, 0.0)})  # fmt: skip
    widths = []
    for places in (slots, slots + 100):
        found = corrected_rates({"final": errors(AUDIT, frame)}, {"run": rest.assign(cluster=places)}, 0.95)
        row = found.set_index("metric").loc["corrected"]
        assert row["value"] == pytest.approx(0.5)  # 80 of 200, a fifth missed
        widths.append(row["ci_high"] - row["ci_low"])
    assert widths[0] < widths[1]  # where fewer are found, more were missed: the errors cancel


def items(rate, n=100):
    flags = (np.arange(n) < rate * n).astype(float)
    frame = pd.DataFrame({"cluster": np.arange(n), "asr": flags, "asr_first": flags, "asr_second": flags})
    return frame.assign(language="en", prompt_id=np.arange(n).astype(str))


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


def beside(judge, *gaps, outcome="held"):
    about = {"claim": "c", "base": "small", "judge": judge, "outcome": outcome}
    return errors_of_claims([(about, list(gaps))], known()).set_index("metric")["value"].to_dict()


def by_language(*values):
    return pd.Series(dict(zip(("en", "de"), values, strict=True)))


def test_claims_stand_beside_the_wrong_ones_of_the_same_verdicts():
    """A run with 30 and 45 unsafe answers of 100 below a reference with 60 in both languages."""
    gap = Gap(0.1, safe=by_language(0.7, 0.55), unsafe=by_language(0.6, 0.6))
    # 70 + 55 safe verdicts of the run and 60 + 60 unsafe ones of the reference speak for it; 20 must be wrong.
    # The first guard misses a quarter: the run's 30 and 45 are of 40 and 60 unsafe answers, of which it missed 10
    # and 15; it calls nothing unsafe in vain.
    assert beside("first", gap) == pytest.approx({"needed": 20 / 245, "wrong": 25 / 245})
    # The second misses none and calls a sixth of the safe answers unsafe: of the reference's 60, 52 are unsafe, so
    # that 8 of 48 were called so in vain, in each language.
    assert beside("second", gap) == pytest.approx({"needed": 20 / 245, "wrong": 16 / 245})
    assert beside("final", gap) == pytest.approx({"needed": 20 / 245, "wrong": 0})


def test_a_claim_that_lacks_an_estimate_has_no_errors_beside_it():
    assert np.isnan([*beside("first", outcome="undecided").values()]).tolist() == [True, True]


def test_without_a_reference_only_the_verdicts_of_the_run_speak():
    nothing = by_language(np.nan, np.nan)
    falls = Gap(-0.1, safe=nothing, unsafe=by_language(0.6, 0.1))
    # The second guard: 8 of the 60 in vain; where a tenth is called unsafe, fewer than a sixth, all of them are.
    assert beside("second", falls) == pytest.approx({"needed": 20 / 70, "wrong": 18 / 70})
    assert beside("first", falls)["wrong"] == 0
    rises = Gap(0.1, safe=by_language(0.7, 0.7), unsafe=nothing)
    assert beside("first", rises) == pytest.approx({"needed": 20 / 140, "wrong": 20 / 140})


def test_the_check_that_decides_is_the_one_whose_verdicts_are_looked_at():
    near, far = (Gap(short, by_language(0.7, 0.7), by_language(0.6, 0.6)) for short in (0.01, 0.1))
    assert beside("first", far, near)["needed"] == pytest.approx(2 / 260)
    assert beside("first", near, far, outcome="not held")["needed"] == pytest.approx(20 / 260)


def test_a_judge_no_better_than_chance_says_nothing_of_a_claim():
    gap = Gap(0.1, by_language(0.7, 0.7), by_language(0.6, 0.6))
    assert np.isnan(wrong(gap, sensitivity=0.4, specificity=0.6))
