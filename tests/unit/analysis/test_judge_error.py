"""ASR corrected by a sample that people judged."""

import numpy as np
import pandas as pd
import pytest

from refuseu.analysis import judge_error
from refuseu.analysis.judge_error import prediction_powered, rogan_gladen
from refuseu.artifacts import judges

GROUPS = {"high_resource": ["en", "de"], "low_resource": ["pl"]}
STATISTICS = {"confidence": 0.95}
# 20 judged by people, of which 8 unsafe; judges miss 2 of these and raise 1 false alarm.
HUMAN = np.repeat([1.0, 1, 0, 0], [6, 2, 1, 11])
JUDGES = np.repeat([1.0, 0, 1, 0], [6, 2, 1, 11])
REST = np.repeat([1.0, 0], [30, 70])


def test_prediction_powered_inference_is_the_closed_form():
    value, low, high = prediction_powered(HUMAN, JUDGES, REST, 0.95)
    assert value == pytest.approx(0.3 + (2 - 1) / 20)
    error = HUMAN - JUDGES
    width = 1.959964 * np.sqrt(0.3 * 0.7 / 100 + error.var() / 20)
    assert (low, high) == pytest.approx((value - width, value + width), abs=1e-6)


def test_rogan_gladen_by_hand():
    value, low, high = rogan_gladen(HUMAN, JUDGES, REST, 0.95)
    sensitivity, specificity = 6 / 8, 11 / 12
    assert judge_error.sensitivity_specificity(HUMAN, JUDGES) == pytest.approx((sensitivity, specificity))
    assert value == pytest.approx((0.3 + specificity - 1) / (sensitivity + specificity - 1))
    # Lang and Reiczigel's interval, with their names: one answer of each kind is added to both samples of errors, and
    # z²/2 unsafe ones to z² answers.
    z2 = 1.959964**2
    p, se, sp = (30 + z2 / 2) / (100 + z2), 7 / 10, 12 / 14
    pi = (p + sp - 1) / (se + sp - 1)
    shift = 2 * z2 * (pi * se * (1 - se) / 10 - (1 - pi) * sp * (1 - sp) / 14)
    error = p * (1 - p) / (100 + z2) + se * (1 - se) / 10 * pi**2 + sp * (1 - sp) / 14 * (1 - pi) ** 2
    half = np.sqrt(z2 * error) / (se + sp - 1)
    assert (low, high) == pytest.approx((pi + shift - half, pi + shift + half), abs=1e-6)
    assert np.isnan(rogan_gladen(np.repeat([1.0, 0], 2), np.array([1.0, 0, 1, 0]), REST, 0.95)).all()  # by chance


def test_an_average_of_estimates_adds_their_distances_in_squares():
    found = judge_error.average([judge_error.Interval(0.2, 0.1, 0.5), judge_error.Interval(0.4, 0.0, 0.8)])
    assert found == pytest.approx((0.3, 0.3 - np.hypot(0.1, 0.4) / 2, 0.3 + np.hypot(0.3, 0.4) / 2))
    assert np.isnan(judge_error.average([])).all()
    assert np.isnan(judge_error.average([found, judge_error.NOTHING])).all()


def test_judges_that_people_confirm_still_have_an_interval():
    human = np.repeat([1.0, 0], [3, 17])
    value, low, high = prediction_powered(human, human, REST, 0.95)
    assert value == pytest.approx(0.3)
    assert high - low > 2 * 1.96 * np.sqrt(0.3 * 0.7 / 100)


@pytest.mark.parametrize(
    ("human", "judges"),
    [([0.0, 0, 0], [0.0, 1, 0]), ([1.0, 1, 1], [1.0, 1, 0]), ([1.0, 0, 1, 0], [0.0, 1, 0, 1]), ([], [])],
)
def test_no_correction_without_both_kinds_of_answers_or_by_judges_worse_than_chance(human, judges):
    assert np.isnan(rogan_gladen(np.array(human), np.array(judges), REST, 0.95)).all()


def test_nobody_judged_or_nothing_else_to_judge():
    nothing = np.array([])
    assert np.isnan(prediction_powered(nothing, nothing, REST, 0.95)).all()
    assert np.isnan(prediction_powered(HUMAN, JUDGES, nothing, 0.95)).all()


def sample():
    codes = ["en", "de", "pl"]
    judged = pd.concat(
        [pd.DataFrame({"language": code, "prompt_id": range(120), "asr": np.append(JUDGES, REST)}) for code in codes]
    )
    judged = judged.assign(cluster=judged["language"] + judged["prompt_id"].astype(str))
    human = [
        {"language": code, "prompt_id": i, "verdict": "unsafe" if said else "safe", "annotator": "a"}
        for code in codes[:2]
        for i, said in enumerate(HUMAN)
    ]
    return judged, human


def table(judged, human):
    rows = judge_error.corrected(judged, human, GROUPS, **STATISTICS)
    return rows.set_index(["method", "language"])


def test_corrected_rates_per_language_and_averages_only_over_all_of_a_group():
    found = table(*sample())
    assert found.loc[("judges", "en"), "value"] == pytest.approx(37 / 120)
    assert (found.loc[("people", "en"), "value"], found.loc[("people", "en"), "n"]) == (8 / 20, 20)
    one, group = found.loc[("ppi", "en")], found.loc[("ppi", "high_resource")]
    assert one["value"] == pytest.approx(0.35)
    assert group["value"] == pytest.approx(0.35)
    assert group["ci_high"] - group["value"] == pytest.approx((one["ci_high"] - one["value"]) / np.sqrt(2))
    assert found["n"].to_dict().items() >= {
        ("judges", "en"): 120, ("people", "en"): 20, ("people", "high_resource"): 40, ("judges", "all"): 360,
    }.items()  # fmt: skip
    assert ("ppi", "pl") not in found.index and ("ppi", "all") not in found.index
    assert found.loc[("rogan_gladen", "de"), ["sensitivity", "specificity"]].tolist() == pytest.approx([6 / 8, 11 / 12])


def test_what_people_said_of_an_answer_that_was_cut_counts_nowhere():
    judged, human = sample()
    whole = table(judged.assign(cut_rate=0.0), human)
    pd.testing.assert_frame_equal(whole, table(judged, human))
    cut = judged["prompt_id"].isin([0, 1])  # two of the six that people and judges call unsafe
    found = table(judged.assign(cut_rate=cut.astype(float), asr=judged["asr"].where(~cut)), human)
    assert (found.loc[("people", "en"), "value"], found.loc[("people", "en"), "n"]) == (6 / 18, 18)
    assert found.loc[("rogan_gladen", "en"), "sensitivity"] == pytest.approx(4 / 6)


def test_a_language_whose_verdicts_are_all_unparsed_leaves_no_average_over_it():
    judged, human = sample()
    judged["asr"] = judged["asr"].where(judged["language"] != "de")
    found = table(judged, human)
    for method in ("judges", "ppi", "rogan_gladen"):
        rows = found.loc[method]
        assert "en" in rows.index and not {"de", "high_resource", "all"} & {*rows.index}
    assert {"en", "de", "high_resource"} == {*found.loc["people"].index}  # nobody judged the Polish answers


def test_annotators_share_an_item_and_who_is_unsure_does_not_count():
    judged, human = sample()
    more = [{"language": "en", "prompt_id": 0, "verdict": verdict, "annotator": "b"} for verdict in ("safe", "unsure")]
    found = table(judged, human + more)
    assert found.loc[("people", "en"), "value"] == pytest.approx(7.5 / 20)
    unsure = [{**row, "verdict": "unsure"} for row in human if row["prompt_id"] == 0]
    found = table(judged, [row for row in human if row["prompt_id"] != 0] + unsure)
    assert found.loc[("people", "en"), "n"] == 19


def test_without_people_only_the_judges_rate_is_there():
    judged, _ = sample()
    assert set(judge_error.corrected(judged, [], GROUPS, **STATISTICS)["method"]) == {"judges"}


def test_the_table_has_a_cell_for_every_language_model_and_method():
    judged, human = sample()
    human = [{**row, "model": "m"} for row in human]
    cells = judge_error.corrected_cells([judged, judged], ["m", "other"], human, GROUPS, **STATISTICS)
    assert len(cells) == 2 * 6 * 4  # three languages, two groups and all
    printed = dict(zip(cells[["language", "model", "method"]].itertuples(index=False, name=None),
                       judges.rate_with_interval(cells), strict=True))  # fmt: skip
    assert printed["en", "m", "ppi"].startswith("35.0 [")
    assert printed["en", "other", "ppi"] == printed["all", "m", "ppi"] == ""
    assert "People judged 20 answers or more" in judges.people_note(cells)
    assert "No human verdicts" in judges.people_note(
        judge_error.corrected_cells([judged], ["m"], [], GROUPS, **STATISTICS)
    )


def test_averages_are_not_biased_by_rates_that_were_cut_at_zero():
    human = np.repeat([0.0], 20)
    below = prediction_powered(human, np.repeat([1.0, 0], [2, 18]), np.zeros(100), 0.95)
    assert below.value == pytest.approx(-0.1)
    judged = pd.DataFrame({"language": "en", "prompt_id": range(120), "asr": np.repeat([1.0, 0], [2, 118])})
    judged = judged.assign(cluster=judged["prompt_id"])
    people = [{"language": "en", "prompt_id": i, "verdict": "safe"} for i in range(20)]
    assert table(judged, people).loc[("ppi", "en"), "value"] == 0


def test_answers_of_one_slot_that_go_together_widen_the_correction_and_prompts_alone_do_not():
    rng = np.random.default_rng(1)
    influences = np.repeat(rng.normal(size=12), 10) / 120
    influences -= influences.mean()
    found = judge_error.Interval(0.3, 0.25, 0.37)
    slots, alone = pd.Series(np.repeat(range(12), 10)), pd.Series(range(120))
    assert judge_error.widened(found, influences, alone, 0.95) == found
    wide = judge_error.widened(found, influences, slots, 0.95)
    # answers of a slot are alike, so the design effect is their number, but for 12/11; t has 11 degrees of freedom
    factor = np.sqrt(10 * 12 / 11) * 2.200985 / 1.959964
    assert wide == pytest.approx((0.3, 0.3 - factor * 0.05, 0.3 + factor * 0.07), rel=1e-5)
    apart = np.tile([1.0, -1.0], 60)
    assert judge_error.widened(found, apart, slots, 0.95)[1] == pytest.approx(0.3 - 0.05 * 2.200985 / 1.959964)


@pytest.mark.parametrize("method", ["ppi", "rogan_gladen"])
def test_influences_are_what_each_answer_adds(method):
    correct, influences = {
        "ppi": (prediction_powered, judge_error.of_prediction_powered),
        "rogan_gladen": (rogan_gladen, judge_error.of_rogan_gladen),
    }[method]
    whole = correct(HUMAN, JUDGES, REST, 0.95).value
    of_people, of_rest = influences(HUMAN, JUDGES, REST)
    # leaving an answer out changes the value by minus its influence, to first order
    for place in (0, 7, 8, 19):
        less = correct(np.delete(HUMAN, place), np.delete(JUDGES, place), REST, 0.95).value
        assert whole - less == pytest.approx(of_people[place], abs=0.012)
    assert whole - correct(HUMAN, JUDGES, REST[1:], 0.95).value == pytest.approx(of_rest[0], abs=0.001)
