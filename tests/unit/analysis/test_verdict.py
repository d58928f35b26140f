"""Verdicts: corrected over the cells of a claim, by one-sided tests at margins, and seeds as one."""

import numpy as np
import pytest
from scipy import stats

from refuseu.analysis.verdict import HELD, NOT_HELD, UNDECIDED, Check, Estimate, check_of, decide, minus, over_seeds


def estimate(value, error=0.01, df=np.inf, **others):
    half = stats.t.isf(0.025, df) * error
    return Estimate("x", value, value - half, value + half, df=df, **others)


@pytest.mark.parametrize(
    ("written", "check"),
    [
        ({"above": 0.1}, Check((0.1, np.inf))),
        ({"below": 0.2, "some": True}, Check((-np.inf, 0.2), some=True)),
        ({"above": -0.05, "margin": True}, Check((-0.05, np.inf), margin=True)),
        ({"within": 0.02}, Check((-0.02, 0.02), margin=True)),
    ],
)
def test_bounds_are_as_the_file_of_claims_writes_them(written, check):
    found = check_of(written)
    assert found == check and {type(found.some), type(found.margin)} == {bool}


@pytest.mark.parametrize("df", [3, np.inf])
def test_that_one_of_several_passes_is_corrected_for_their_number(df):
    at = stats.t.isf(0.025 / 12, df) * 0.01  # twelve cells: the interval of 1 - 0.05 / 12
    rest = [estimate(0.0, df=df)] * 11
    above = Check((0, np.inf), some=True)
    assert decide([estimate(at * 1.01, df=df), *rest], above, 0.95) == HELD
    assert decide([estimate(at * 0.99, df=df), *rest], above, 0.95) == UNDECIDED
    assert decide([estimate(at * 0.99, df=df)], above, 0.95, cells=1) == HELD


def test_that_one_of_several_fails_is_corrected_and_that_all_pass_is_not():
    above = Check((0, np.inf))
    single, corrected = (stats.norm.isf(0.025 / cells) * 0.01 for cells in (1, 4))
    assert decide([estimate(single * 1.01)] * 4, above, 0.95) == HELD
    rest = [estimate(0.5)] * 3
    assert decide([estimate(-single * 1.01), *rest], above, 0.95) == UNDECIDED
    assert decide([estimate(-corrected * 1.01), *rest], above, 0.95) == NOT_HELD


def test_a_margin_is_passed_by_one_sided_tests():
    one_sided, two_sided = (stats.norm.isf(error) * 0.01 for error in (0.05, 0.025))
    near = [estimate(-0.006 + (one_sided + two_sided) / 2)]
    assert decide(near, Check((-0.006, np.inf), margin=True), 0.95) == HELD
    assert decide(near, Check((-0.006, np.inf)), 0.95) == UNDECIDED
    assert decide([estimate(-0.006 - two_sided * 1.01)], Check((-0.006, np.inf), margin=True), 0.95) == NOT_HELD


@pytest.mark.parametrize(("p", "verdict"), [(0.02, HELD), (0.03, UNDECIDED), (0.97, UNDECIDED), (0.98, NOT_HELD)])
def test_a_permutation_decides_by_its_p_as_an_interval_would(p, verdict):
    assert decide([Estimate("r", 0.3, 0.3, 0.3, p=p)], Check((0, np.inf)), 0.95) == verdict


def test_seeds_at_two_six_and_ten_percent_are_not_known_to_a_third_of_a_point():
    whole = over_seeds([estimate(value, 0.0015) for value in (0.02, 0.06, 0.10)], 0.95)
    assert whole.value == pytest.approx(0.06) and whole.seeds == 3
    # 4.302653 × 0.04 / √3 between seeds, and 1.959964 × 0.0015 within
    half = np.hypot(4.302653 * 0.04 / np.sqrt(3), 1.959964 * 0.0015)
    assert (whole.low, whole.high, whole.df) == pytest.approx((0.06 - half, 0.06 + half, 2), abs=1e-7)
    strict = over_seeds([estimate(value, 0.0) for value in (0.02, 0.06, 0.10)], 0.99)
    assert strict.high - 0.06 == pytest.approx(9.924843 * 0.04 / np.sqrt(3), abs=1e-7)


def test_a_difference_rests_on_the_weaker_of_both():
    a, b = estimate(0.5, clusters=60, discordant=7, seeds=3), estimate(0.2, df=9, clusters=30, seeds=1)
    found = minus(a, b, "a minus b")
    assert (found.clusters, found.discordant, found.seeds, found.df) == (30, 7, 1, 9)
