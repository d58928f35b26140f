"""Sign flips of clusters against binomial tests and scipy's permutations."""

import numpy as np
import pytest
from scipy import stats

from refuseu.analysis import permutation
from refuseu.analysis.permutation import EXACT, MANY, sign_flip_p, sign_flips


@pytest.mark.parametrize(("up", "down"), [(1, 0), (5, 0), (3, 9), (40, 20), (7, 7)])
def test_with_a_prompt_per_cluster_it_is_mcnemars_mid_p(up, down):
    sums = np.array([0.01] * up + [-0.01] * down + [0.0] * 30)
    exact = stats.binomtest(up, up + down).pvalue
    at = stats.binom.pmf(up, up + down, 0.5)
    expected = exact - (at if up != down else at / 2)
    assert sign_flip_p(sums, 1) == pytest.approx(expected)


def test_clusters_of_several_sizes_are_those_of_scipy():
    sums = np.array([3.0, 1, -2, 5, 4, -1, 0])

    found = stats.permutation_test(
        (sums,), lambda x, axis: np.abs(x.sum(axis=axis)), permutation_type="samples", n_resamples=np.inf,
        alternative="greater", vectorized=True,
    )  # fmt: skip
    further = np.mean(found.null_distribution > abs(sums.sum()) + 1e-9)
    assert sign_flip_p(sums, 1) == pytest.approx((found.pvalue + further) / 2)


def test_many_clusters_are_drawn_and_the_draws_agree_with_the_normal_limit():
    rng = np.random.default_rng(1)
    sums = rng.normal(0.1, 1, 400)
    assert np.prod(np.full(400, 2.0)) > EXACT
    z = sums.sum() / np.sqrt((sums**2).sum())
    assert sign_flip_p(sums, 1) == pytest.approx(2 * stats.norm.sf(abs(z)), abs=0.02)
    assert sign_flip_p(sums, 1) == sign_flip_p(sums, 1)


def test_nothing_that_differs_is_no_evidence():
    assert sign_flip_p(np.zeros(9), 1) == 1
    assert sign_flip_p(np.array([]), 1) == 1


def normal_p(sums):
    return 2 * stats.norm.sf(np.abs(sums.sum(-1)) / np.sqrt((sums**2).sum(-1)))


def of_nine_draws(sums):
    """Whether the p-value is a multiple of 1/20."""
    p = sign_flip_p(sums, 1, draws=9)
    return 20 * p == pytest.approx(round(20 * p))


@pytest.mark.parametrize("scale", [1e-12, 1, 1e12])
def test_each_difference_is_tested_for_itself_on_its_own_scale(scale):
    drawn = np.random.default_rng(2).normal(0.1, 1, (2, 400))
    drawn[0, 300:], drawn[1, :50] = 0, 0
    few = np.zeros((4, 400))
    few[1, :3], few[2, 5:8] = [0.1, 0.1, 0.1], [0.1, 0.2, -0.3]
    p = sign_flips(np.concatenate([few, drawn]) * [[1], [scale], [1 / scale], [1], [scale], [1 / scale]], 1)
    # by hand: half of the 2 outcomes in 8 that are 0.3 from 0; all but half of the 2 in 8 that are 0
    assert p[:4] == pytest.approx([1, 1 / 8, 7 / 8, 1])
    assert p[4:] == pytest.approx(normal_p(drawn), abs=0.02)


def test_rounding_makes_no_p_value_above_1():
    # The one large cluster against all others: but for 1 outcome in 2^count all are further from 0.
    p = [sign_flip_p(np.array([-1.0] * count + [count]), 1) for count in range(50, 65)]
    assert p == pytest.approx([1] * 15) and max(p) <= 1


def test_outcomes_are_enumerated_as_long_as_they_are_few(monkeypatch):
    monkeypatch.setattr(permutation, "EXACT", 8)
    assert sign_flip_p(np.array([1.0, 2, 4]), 1, draws=9) == pytest.approx(1 / 8)
    assert of_nine_draws(np.array([1.0, 2, 4, 8]))


def test_seed_and_number_of_draws_decide_what_is_drawn():
    sums = np.random.default_rng(3).normal(0, 1, 40)
    assert len({sign_flip_p(sums, seed) for seed in range(4)}) > 1
    assert of_nine_draws(sums)
    permutation.signs.cache_clear()
    first = sign_flip_p(sums, 1)
    permutation.signs.cache_clear()
    assert sign_flip_p(sums, 1) == first


def test_of_very_many_clusters_numbers_of_pluses_are_drawn():
    sums = np.repeat([1.0, -1, 2, -2], [560, 540, 290, 260])
    assert np.prod([1101.0, 551]) > EXACT and sums.size > MANY
    p = sign_flip_p(sums, 1)
    assert p == pytest.approx(normal_p(sums), abs=0.015)
    assert p == sign_flip_p(sums, 1) != sign_flip_p(sums, 2)
    assert of_nine_draws(sums)


def test_draws_as_far_count_half_and_the_observed_one_is_among_them():
    # by hand, of 4 draws and the observed one: one further, two as far; three further, none as far
    found = permutation.share(np.array([[3.0, 2], [-2, 3], [1, -3], [2, 0]]), np.array([2.0, 1]))
    assert found.tolist() == pytest.approx([(1 + 3 / 2) / 5, (3 + 1 / 2) / 5])
    more, equal = permutation.beyond(np.array([2 + 5e-10, -2 + 5e-10, 2 + 5e-9, -2 - 5e-9, 2 - 5e-9]), 2.0)
    assert more.tolist() == [False, False, True, True, False]
    assert equal.tolist() == [True, True, False, False, False]
    more, equal = permutation.beyond(np.array([permutation.CLOSE]), 0.0)
    assert equal.tolist() == [True] and more.tolist() == [False]


def test_signs_are_as_often_plus_as_minus():
    drawn = permutation.signs(1, 1000, 3)
    assert drawn.shape == (1000, 3) and set(drawn.ravel()) == {-1, 1}
    assert np.abs(drawn.mean(0)).max() < 0.1
