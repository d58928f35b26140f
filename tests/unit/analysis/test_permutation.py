"""Sign flips of clusters against binomial tests and scipy's permutations."""

import numpy as np
import pytest
from scipy import stats

from refuseu.analysis.permutation import EXACT, sign_flip_p


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
