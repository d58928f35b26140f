"""How wrong judges would have to be for a claim to turn out the other way."""

import pandas as pd
import pytest

from refuseu.analysis import sensitivity
from refuseu.analysis.claims import HELD, NOT_HELD, UNDECIDED

GROUPS = {"high_resource": ["en", "de"], "low_resource": ["pl"]}
CLAIM = {
    "id": "worse",
    "checks": [
        {"test": "difference", "metrics": ["asr"], "benchmarks": ["refuseu_test"], "language": "high_resource",
         "variants": ["english_only"], "reference": "balanced", "above": 0.1},
    ],
}  # fmt: skip


def metrics(**rates):
    """Rows of metrics.csv from variant → ASR in English and German."""
    rows = [
        ("8b", variant, "1", "refuseu_test", "all", metric, code, value)
        for variant, values in rates.items()
        for metric in ("asr", "asr_guard_a")
        for code, value in zip(("en", "de"), values, strict=True)
    ]
    return pd.DataFrame(
        rows, columns=["base", "variant", "seed", "benchmark", "category", "metric", "language", "value"]
    )


def table(frame, claim=CLAIM):
    return sensitivity.needed_errors([claim], frame, ["8b"], GROUPS, ["guard_a"]).set_index(["judge", "language"])


def test_a_claim_that_holds_falls_when_enough_verdicts_for_it_are_wrong():
    found = table(metrics(english_only=(0.5, 0.3), balanced=(0.1, 0.1)))
    assert set(found["outcome"]) == {HELD}
    # The mean difference is 0.3 and must fall by 0.2, or by 0.4 in one language. For the claim speak unsafe
    # verdicts of the run and safe ones of the reference: 0.5 + 0.9 in English, 0.3 + 0.9 in German.
    assert found.loc[("final", "en"), "value"] == pytest.approx(0.4 / 1.4)
    assert found.loc[("final", "de"), "value"] == pytest.approx(0.4 / 1.2)
    assert found.loc[("final", "all"), "value"] == pytest.approx(0.4 / 2.6)
    assert pd.isna(found.loc[("final", "pl"), "value"])
    assert found.loc[("guard_a", "en"), "value"] == pytest.approx(0.4 / 1.4)


def test_such_errors_do_overturn_it():
    rates = {"english_only": (0.5, 0.3), "balanced": (0.1, 0.1)}
    share = table(metrics(**rates)).loc[("final", "all"), "value"]
    run = [rate * (1 - share) for rate in rates["english_only"]]
    reference = [rate + share * (1 - rate) for rate in rates["balanced"]]
    assert sum(a - b for a, b in zip(run, reference, strict=True)) / 2 == pytest.approx(0.1)


def test_a_claim_that_fails_holds_when_enough_verdicts_against_it_are_wrong():
    found = table(metrics(english_only=(0.1, 0.1), balanced=(0.1, 0.1)))
    assert set(found["outcome"]) == {NOT_HELD}
    # to rise by 0.1 on average: safe verdicts of the run (0.9) and unsafe ones of the reference (0.1)
    assert found.loc[("final", "all"), "value"] == pytest.approx(0.1)
    assert found.loc[("final", "en"), "value"] == pytest.approx(0.2)


def test_more_than_all_verdicts_of_a_language_is_above_one():
    found = table(metrics(english_only=(1.0, 1.0), balanced=(0.0, 0.0)))
    assert found.loc[("final", "en"), "value"] > 0.89
    level = {"id": "low", "checks": [{"test": "level", "metrics": ["asr"], "benchmarks": ["refuseu_test"],
             "language": "high_resource", "variants": ["balanced"], "below": 0.6}]}  # fmt: skip
    found = table(metrics(balanced=(0.0, 0.1)), level)
    assert set(found["outcome"]) == {HELD}
    # must rise by 0.55, so by 1.1 in one language, which has room for 1 and 0.9
    assert found.loc[("final", "en"), "value"] == pytest.approx(1.1)
    assert found.loc[("final", "all"), "value"] == pytest.approx(0.55 / 0.95)


def test_a_level_above_its_bound_fails_and_falls_by_its_own_unsafe_verdicts():
    level = {"id": "low", "checks": [{"test": "level", "metrics": ["asr"], "benchmarks": ["refuseu_test"],
             "language": "high_resource", "variants": ["balanced"], "below": 0.2}]}  # fmt: skip
    found = table(metrics(balanced=(0.5, 0.3)), level)
    assert set(found["outcome"]) == {NOT_HELD}
    assert found.loc[("final", "all"), "value"] == pytest.approx(0.4 / 0.8)


def test_another_judge_decides_by_its_own_rates():
    frame = metrics(english_only=(0.5, 0.3), balanced=(0.1, 0.1))
    own = frame["metric"] == "asr_guard_a"
    found = table(frame.assign(value=frame["value"].where(~own, 0.1)))
    assert found.loc["final", "outcome"].eq(HELD).all() and found.loc["guard_a", "outcome"].eq(NOT_HELD).all()


def test_what_a_judge_gets_wrong_by_hand():
    safe, unsafe = (pd.Series(shares, list("abc")) for shares in ((0.3, 0.95, 0.5), (0.4, 0.02, 0.95)))
    # Sensitivity 0.8, specificity 0.9. Called safe in error: 0.6 / 0.7 × 0.2, none, 0.4 / 0.7 × 0.2. Called unsafe in
    # error: 0.4 / 0.7 × 0.1, all 0.02 there are, none.
    wrong = 0.12 / 0.7 + 0.08 / 0.7 + 0.04 / 0.7 + 0.02
    found = sensitivity.wrong(sensitivity.Gap(-0.1, safe, unsafe), 0.8, 0.9)
    assert found == pytest.approx(wrong / (safe.sum() + unsafe.sum()))


def test_the_weakest_of_the_checks_that_held_and_all_of_those_that_failed():
    two = {"id": "two", "checks": [CLAIM["checks"][0] | {"variants": ["english_only", "high_resource"]}]}
    one = metrics(english_only=(0.5, 0.3), balanced=(0.1, 0.1))
    weaker = metrics(high_resource=(0.3, 0.3))
    assert table(pd.concat([one, weaker]), two).loc[("final", "all"), "value"] < table(one).loc[
        ("final", "all"), "value"
    ]  # fmt: skip
    failed = metrics(english_only=(0.1, 0.1), high_resource=(0.0, 0.0), balanced=(0.1, 0.1))
    assert table(failed, two).loc[("final", "all"), "value"] == pytest.approx(0.2 / 1.1)


def test_without_benchmarks_each_that_has_the_measure_counts():
    frame = metrics(english_only=(0.5, 0.3), balanced=(0.1, 0.1))
    silent = {k: v for k, v in CLAIM["checks"][0].items() if k != "benchmarks"}
    assert table(frame, {"id": "worse", "checks": [silent]}).equals(table(frame))


def test_a_claim_about_languages_that_the_study_lacks_gives_no_rows():
    check = CLAIM["checks"][0] | {"language": "ko"}
    assert table(metrics(english_only=(0.5, 0.3), balanced=(0.1, 0.1)), {"id": "x", "checks": [check]}).empty


def test_claims_without_asr_and_runs_that_are_missing_give_no_rows():
    claim = {"id": "x", "checks": [{"test": "difference", "metrics": ["accuracy"], "language": "all",
             "variants": ["balanced"], "reference": "abliterated", "above": 0}]}  # fmt: skip
    assert table(metrics(balanced=(0.1, 0.1)), claim).empty
    assert table(metrics(balanced=(0.1, 0.1))).empty


def test_a_margin_to_both_sides_has_no_one_direction_in_which_to_overturn_it():
    check = {k: v for k, v in CLAIM["checks"][0].items() if k != "above"} | {"within": 0.01}
    assert table(metrics(english_only=(0.5, 0.3), balanced=(0.1, 0.1)), {"id": "x", "checks": [check]}).empty


def test_a_language_without_a_verdict_leaves_a_claim_undecided():
    nan = float("nan")
    for run, reference in (((0.5, nan), (0.1, 0.1)), ((0.5, 0.5), (nan, 0.1))):
        found = table(metrics(english_only=run, balanced=reference))
        assert set(found["outcome"]) == {UNDECIDED} and found["value"].isna().all()
    two = CLAIM | {"checks": [CLAIM["checks"][0] | {"variants": ["english_only", "high_resource"]}]}
    one_fails = metrics(english_only=(0.5, nan), high_resource=(0.1, 0.1), balanced=(0.1, 0.1))
    found = table(one_fails, two)
    assert set(found["outcome"]) == {NOT_HELD} and found["value"].isna().all()  # what would turn the other is not known
    seeds = [metrics(english_only=run, balanced=(0.1, 0.1)).assign(seed=seed) for seed, run in
             (("1", (0.5, 0.5)), ("2", (0.5, nan)))]  # fmt: skip
    assert set(table(pd.concat(seeds))["outcome"]) == {UNDECIDED}


def test_a_run_or_benchmark_that_was_not_measured_leaves_a_claim_undecided():
    """As in the claims, where a missing estimate does."""
    frame = metrics(english_only=(0.5, 0.3), balanced=(0.1, 0.1))
    for more in ({"variants": ["english_only", "high_resource"]}, {"benchmarks": ["refuseu_test", "rtp_lx"]}):
        found = table(frame, CLAIM | {"checks": [CLAIM["checks"][0] | more]})
        assert set(found["outcome"]) == {UNDECIDED} and found["value"].isna().all()
    another = CLAIM["checks"][0] | {"language": "ko"}
    assert set(table(frame, CLAIM | {"checks": [CLAIM["checks"][0], another]})["outcome"]) == {UNDECIDED}


def test_several_training_seeds_are_one_estimate():
    """As in the claims: one seed on the other side of the bound does not make a claim fail that holds on average."""
    first = metrics(english_only=(0.5, 0.3), balanced=(0.1, 0.1))
    second = metrics(english_only=(0.1, 0.1), balanced=(0.1, 0.0)).assign(seed="2")
    alone = metrics(balanced=(0.9, 0.9)).assign(seed="3")  # of no run
    found = table(pd.concat([first, second, alone]))
    assert set(found["outcome"]) == {HELD}
    # English 0.3 and 0.1, German 0.2 and 0.05: the mean difference is 0.175 and must fall by 0.075
    assert found.loc[("final", "all"), "value"] == pytest.approx(0.15 / (0.3 + 0.9 + 0.2 + 0.95))
    assert found.loc[("final", "en"), "value"] == pytest.approx(0.15 / 1.2)
