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


def test_kappa_of_one_category_is_undefined_without_a_warning():
    counts = np.array([[[7, 0], [0, 0]], [[0, 0], [0, 3]], [[0, 7], [0, 0]], [[3, 1], [1, 3]]])
    with np.errstate(all="raise"):
        found = estimates.cohen_kappa(counts)
    # by hand: never both, observed 0 and expected 0; observed 6/8, expected 1/2
    assert found.tolist() == pytest.approx([np.nan, np.nan, 0, 0.5], nan_ok=True)


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


GROUPS = {"high_resource": ["en", "de"], "low_resource": ["pl"]}


def sample(**values):
    rows = [{"language": code, "m": float(value)} for code, some in values.items() for value in some]
    return pd.DataFrame(rows).assign(cluster=range(len(rows)))


def rows_of(frame, bounds=(0, 1), confidence=0.95):
    return estimates.estimates(frame, "m", GROUPS, bounds, confidence)


def test_a_language_of_no_group_comes_first_and_is_in_no_average():
    frame = sample(xx=[1, 1, 1, 1], en=[0, 1], de=[1, 1, 1, 0], pl=[0, 0])
    rows = rows_of(frame)
    assert [scope for scope, _ in rows] == ["xx", "en", "de", "pl", "high_resource", "low_resource", "all"]
    assert [row["value"] for _, row in rows] == pytest.approx([1, 1 / 2, 3 / 4, 0, 5 / 8, 0, (1 / 2 + 3 / 4) / 3])
    assert [row["n"] for _, row in rows] == [4, 2, 4, 2, 6, 2, 8]


def test_a_group_averages_the_languages_that_occur_and_is_left_out_without_any():
    assert [scope for scope, _ in rows_of(sample(de=[0, 1, 1, 1]))] == ["de", "high_resource", "all"]
    assert {row["value"] for _, row in rows_of(sample(de=[0, 1, 1, 1]))} == {3 / 4}


def test_one_language_alone_has_wilsons_interval_as_a_group_too():
    expected = estimates.wilson_interval(1, 4, 0.95)
    for scope, row in rows_of(sample(pl=[0, 0, 0, 1])):
        assert (row["ci_low"], row["ci_high"]) == pytest.approx(expected), scope


def test_a_score_of_one_language_has_an_interval_within_the_scale():
    (_, row), *_ = rows_of(sample(en=[1, 2, 4, 5]), bounds=(1, 5))
    assert 1 < row["ci_low"] < row["value"] == 3 < row["ci_high"] < 5


@pytest.mark.parametrize(("said", "bounds"), [(0, (0, 1)), (1, (0, 1)), (1, (1, 5)), (5, (1, 5))])
def test_where_all_agree_the_width_is_wilsons_bound_on_the_unseen_times_the_distance_to_the_bounds(said, bounds):
    *_, (scope, row) = rows_of(sample(en=[said] * 5, de=[said] * 4, pl=[said] * 6), bounds)
    unseen = estimates.wilson_interval(0, 15, 0.95)[1]
    assert (scope, row["n"]) == ("all", 15) and 0.1 < unseen < 0.3
    low, high = said - unseen * (said - bounds[0]), said + unseen * (bounds[1] - said)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((low, high))


def test_more_confidence_widens_the_interval_and_the_seed_decides_permutations():
    frame = sample(en=[0, 1, 1, 0, 1, 0, 0], de=[1, 1, 0, 0, 1])
    (_, narrow), (_, wide) = (rows_of(frame, confidence=share)[-1] for share in (0.5, 0.99))
    assert wide["ci_low"] < narrow["ci_low"] < narrow["ci_high"] < wide["ci_high"]
    a, b = np.random.default_rng(1).random((2, 4, 4))
    draws = [estimates.mantel(a, b, 9, seed=seed)[1].tolist() for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]


def test_confusion_counts_the_first_judge_in_rows_and_leaves_other_labels_out():
    a, b = ["safe", "safe", "unsafe", "unparsed", "safe"], ["unsafe", "safe", "unsafe", "safe", "unsafe"]
    assert estimates.confusion(a, b).tolist() == [[1, 2], [0, 1]]
    assert estimates.confusion([], []).tolist() == [[0, 0], [0, 0]]


def test_agreement_of_several_tables_at_once_is_that_of_each():
    tables = np.random.default_rng(2).integers(1, 9, (2, 5, 3, 3))
    for measure in (estimates.observed, estimates.cohen_kappa, estimates.gwet_ac1):
        each = [float(measure(table)) for some in tables for table in some]
        assert measure(tables).shape == (2, 5)
        assert measure(tables).ravel().tolist() == pytest.approx(each)


def test_ac1_of_three_categories_by_hand():
    # observed 7/10; mean shares 0.45, 0.35, 0.2; chance (0.45 × 0.55 + 0.35 × 0.65 + 0.2 × 0.8) / 2
    counts = np.array([[4, 1, 0], [0, 2, 1], [0, 1, 1]])
    chance = (0.45 * 0.55 + 0.35 * 0.65 + 0.2 * 0.8) / 2
    assert estimates.gwet_ac1(counts) == pytest.approx((0.7 - chance) / (1 - chance))


def test_holm_of_nothing_known_is_nothing_known():
    corrected = estimates.holm(pd.Series([np.nan, np.nan], index=["a", "b"]))
    assert list(corrected.index) == ["a", "b"] and corrected.isna().all() and corrected.dtype == float


def test_holm_of_an_empty_column_is_of_numbers():
    assert estimates.holm(pd.DataFrame(columns=["p"])["p"]).dtype == float
