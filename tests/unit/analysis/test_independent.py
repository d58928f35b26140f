"""Estimates and tests of `refuseu.analysis.estimates` against other implementations of the same."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import cohen_kappa_score

from refuseu.analysis import estimates


@pytest.mark.parametrize(("count", "n"), [(0, 10), (3, 10), (140, 1400), (1400, 1400)])
def test_wilson(count, n):
    other = stats.binomtest(count, n).proportion_ci(0.95, method="wilson")
    assert estimates.wilson_interval(count, n, 0.95) == pytest.approx((other.low, other.high), abs=1e-9)


def test_paired_bootstrap():
    differences = np.random.default_rng(1).choice([-1.0, 0, 1], 300, p=[0.2, 0.7, 0.1])
    sample = pd.DataFrame({"language": "en", "asr": differences})
    [(_, row), *_] = estimates.estimates(sample, "asr", {"high_resource": ["en"]}, (-1, 1), 0.95, 20_000, seed=1)
    other = stats.bootstrap(
        (differences,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(2)
    ).confidence_interval
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((other.low, other.high), abs=0.004)


@pytest.mark.parametrize(("up", "down"), [(5, 0), (3, 9), (40, 20), (7, 7)])
def test_mcnemar(up, down):
    differences = pd.Series([1.0] * up + [-1.0] * down + [0.0] * 30)
    assert estimates.mcnemar_p(differences) == pytest.approx(stats.binomtest(up, up + down).pvalue)


def test_holm():
    p = pd.Series([0.04, np.nan, 0.01, 0.03], index=list("abcd"))
    # by hand: 0.01 × 3; max(0.03, 0.03 × 2); max(0.06, 0.04)
    corrected = estimates.holm(p)
    assert corrected.dropna().to_dict() == pytest.approx({"c": 0.03, "d": 0.06, "a": 0.06})


def test_kappa_of_three_categories():
    rng = np.random.default_rng(4)
    a = rng.choice(["x", "y", "z"], 300, p=[0.6, 0.3, 0.1])
    b = np.where(rng.random(300) < 0.7, a, rng.choice(["x", "y", "z"], 300))
    counts = estimates.confusion(a, b, ["x", "y", "z"])
    assert estimates.cohen_kappa(counts) == pytest.approx(cohen_kappa_score(a, b))


def test_ac1_is_kappa_without_the_prevalence():
    # Gwet (2008), section 3: with both raters at one half AC1 and kappa coincide.
    counts = np.array([[40, 10], [10, 40]])
    assert estimates.gwet_ac1(counts) == pytest.approx(float(estimates.cohen_kappa(counts)))
    # by hand: observed 0.9; mean shares 0.95 and 0.05; chance 2 × 0.95 × 0.05 = 0.095
    assert estimates.gwet_ac1(np.array([[90, 5], [5, 0]])) == pytest.approx((0.9 - 0.095) / (1 - 0.095))


def test_mantel():
    rng = np.random.default_rng(5)
    a, b = rng.random((5, 5)), rng.random((5, 5))
    off = ~np.eye(5, dtype=bool)
    r, drawn = estimates.mantel(a, b, 4000, seed=1)
    assert r == pytest.approx(stats.pearsonr(a[off], b[off]).statistic)
    orders = [np.array(order) for order in itertools.permutations(range(5))]
    every = np.array([stats.pearsonr(a[np.ix_(o, o)][off], b[off]).statistic for o in orders])
    assert estimates.permutation_p(r, drawn) == pytest.approx(np.mean(every >= r - 1e-12), abs=0.03)
    # Rows and columns move together: rows alone would bring the diagonal in, and other correlations.
    assert drawn.shape == (4000,)
    assert np.isclose(drawn[:, None], every).any(axis=1).all()
    assert np.isclose(every[:, None], drawn).any(axis=1).all()


def test_mantel_leaves_out_what_is_undefined_in_either_matrix():
    rng = np.random.default_rng(6)
    a, b = rng.random((4, 4)), rng.random((4, 4))
    a[0, 1], b[2, 3] = np.nan, np.nan
    known = ~np.eye(4, dtype=bool) & ~np.isnan(a) & ~np.isnan(b)
    assert known.sum() == 10
    r, drawn = estimates.mantel(a, b, 50, seed=1)
    assert r == pytest.approx(stats.pearsonr(a[known], b[known]).statistic)
    assert not np.isnan(drawn).any()


@pytest.mark.parametrize("still", [0, 1])
def test_mantel_is_undefined_where_a_matrix_does_not_vary(still):
    matrices = [np.random.default_rng(7).random((4, 4)), np.full((4, 4), 0.3)]
    r, drawn = estimates.mantel(matrices[1 - still], matrices[still], 3, seed=1)
    assert np.isnan(r) and np.isnan(drawn).tolist() == [True] * 3
    r, drawn = estimates.mantel(np.full((4, 4), np.nan), matrices[0], 3, seed=1)
    assert np.isnan(r)


def test_the_value_counts_as_one_of_the_draws():
    assert estimates.permutation_p(0.5, np.array([0.1, 0.5, 0.9])) == pytest.approx(3 / 4)
    assert estimates.permutation_p(0.95, np.array([0.1, 0.5, 0.9])) == pytest.approx(1 / 4)


def test_percentiles_of_what_is_defined():
    assert estimates.percentiles(np.array([np.nan, 0.0, 1.0, 2.0, 3.0, 4.0]), 0.5) == (1.0, 3.0)
    assert np.isnan(estimates.percentiles(np.array([np.nan, np.nan]), 0.5)).all()


def test_wilson_ends_where_nothing_or_all_was_seen():
    assert estimates.wilson_interval(0, 7, 0.95)[0] == 0
    assert estimates.wilson_interval(7, 7, 0.95)[1] == 1
    assert estimates.wilson_interval(1, 7, 0.95)[0] > 0 and estimates.wilson_interval(6, 7, 0.95)[1] < 1
    narrow, wide = (estimates.wilson_interval(3, 10, confidence) for confidence in (0.5, 0.99))
    assert wide[0] < narrow[0] < narrow[1] < wide[1]
