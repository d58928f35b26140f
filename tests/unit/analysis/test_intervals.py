"""Means over clusters against statsmodels, closed forms and hand-computed values."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from refuseu.analysis import intervals, seeds
from refuseu.analysis.intervals import Mean


def clustered(rng, languages=3, clusters=12, each=5, sd=1.0, level=-1.0):
    """Items of slots that all languages share: columns language, cluster, y."""
    effect = rng.normal(level, sd, clusters)
    grid = [(a, b) for a in range(languages) for b in range(clusters) for _ in range(each + (a + b) % 3)]
    frame = pd.DataFrame(grid, columns=["language", "cluster"])
    return frame.assign(y=(rng.random(len(frame)) < 1 / (1 + np.exp(-effect[frame["cluster"]]))) * 1.0)


def mean_of(frame):
    return intervals.mean(
        *(frame[name].to_numpy() for name in ("y", "language", "cluster")), frame["cluster"].max() + 1
    )


def test_the_value_weighs_languages_and_not_items():
    frame = pd.DataFrame({"y": [1.0, 1, 1, 0], "language": [0, 0, 0, 1], "cluster": [0, 1, 2, 0]})
    found = mean_of(frame)
    assert found.value == 0.5
    assert found.weights.tolist() == pytest.approx([1 / 6 + 1 / 2, 1 / 6, 1 / 6])
    assert found.sums.tolist() == pytest.approx([1 / 6, 1 / 6, 1 / 6])
    assert found.scores.sum() == pytest.approx(0)


def test_the_variance_is_statsmodels_clustered_sandwich_but_for_the_leverages():
    frame = clustered(np.random.default_rng(1))
    found = mean_of(frame)
    fit = smf.ols("y ~ C(language) - 1", frame).fit(
        cov_type="cluster", cov_kwds={"groups": frame["cluster"], "use_correction": False}
    )
    third = np.full(3, 1 / 3)
    assert found.value == pytest.approx(fit.params.to_numpy() @ third)
    assert (found.scores**2).sum() == pytest.approx(third @ fit.cov_params().to_numpy() @ third)
    by_hand = sum((z / (1 - w)) ** 2 for z, w in zip(found.scores, found.weights, strict=True)) * 11 / 12
    assert intervals.jackknife(found) == pytest.approx(by_hand) and by_hand > (found.scores**2).sum()


def test_with_clusters_of_equal_weight_the_variance_is_that_of_deleting_each():
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"language": 0, "cluster": np.repeat(range(8), 5), "y": (rng.random(40) < 0.4) * 1.0})
    without = [frame.loc[frame["cluster"] != one, "y"].mean() for one in range(8)]
    jackknife = 7 / 8 * np.sum((np.array(without) - np.mean(without)) ** 2)
    assert intervals.jackknife(mean_of(frame)) == pytest.approx(jackknife)


@pytest.mark.parametrize(("count", "n"), [(0, 1), (1, 1), (0, 10), (3, 10), (7, 140), (140, 140)])
def test_with_a_prompt_per_cluster_one_language_has_wilsons_interval(count, n):
    frame = pd.DataFrame({"y": [1.0] * count + [0.0] * (n - count), "language": 0, "cluster": range(n)})
    low, high, df = intervals.interval(mean_of(frame), (0, 1), 0.95)
    assert (low, high) == pytest.approx(proportion_confint(count, n, method="wilson"), abs=1e-9)
    assert df == np.inf


def test_slots_that_agree_within_are_worth_as_many_prompts_as_there_are_slots():
    slot = np.repeat([1.0] * 6 + [0.0] * 14, 50)
    frame = pd.DataFrame({"y": slot, "language": 0, "cluster": np.repeat(range(20), 50)})
    low, high, df = intervals.interval(mean_of(frame), (0, 1), 0.95)
    plain = stats.t.interval(0.95, 19, 0.3, np.sqrt(0.3 * 0.7 / 19))
    assert (high - low) == pytest.approx(plain[1] - plain[0], rel=0.1)
    assert round(float(df), 9) <= 19


@pytest.mark.parametrize(("slots", "df"), [(2, 1), (3, 2), (4, 3)])
def test_a_category_of_few_slots_has_as_many_degrees_of_freedom_less_one(slots, df):
    share = np.linspace(0.1, 0.4, slots)
    frame = pd.DataFrame({"cluster": np.repeat(range(slots), 100), "language": 0, "y": 0.0})
    frame["y"] = np.concatenate([np.arange(100) < 100 * one for one in share]) * 1.0
    low, high, found = intervals.interval(mean_of(frame), (0, 1), 0.95)
    assert found == pytest.approx(df)
    # On the log-odds the half-width is about t times the standard error: by hand from the spread of the slots.
    error = share.std(ddof=1) / np.sqrt(slots) / (0.25 * 0.75)
    assert high > 1 / (1 + 3 * np.exp(-error)) and low < 1 / (1 + 3 * np.exp(error))
    assert (high - low > 0.8) == (slots == 2)


def test_one_cluster_says_nothing_and_none_that_differs_is_no_certainty():
    one = pd.DataFrame({"y": [0.0, 1, 0, 0], "language": 0, "cluster": 0})
    assert intervals.interval(mean_of(one), (0, 1), 0.95)[:2] == (0, 1)
    assert intervals.difference(mean_of(one), np.asarray(0.25), 1, 0.95)[:2] == (-1, 1)
    never = pd.DataFrame({"y": 0.0, "language": 0, "cluster": np.repeat(range(10), 20)})
    low, high, _ = intervals.interval(mean_of(never), (0, 1), 0.95)
    assert low == 0 and 0.01 < high < 0.05
    with np.errstate(invalid="raise"):
        low, high, _ = intervals.difference(mean_of(never), np.asarray(0.0), 1, 0.95)
    assert -0.05 < low < -0.01 and high == pytest.approx(-low)


def test_scores_are_intervals_of_the_same_kind_on_their_scale():
    frame = clustered(np.random.default_rng(3))
    low, high, _ = intervals.interval(mean_of(frame), (0, 1), 0.95)
    scaled = intervals.interval(mean_of(frame.assign(y=1 + 4 * frame["y"])), (1, 5), 0.95)
    assert scaled[:2] == pytest.approx((1 + 4 * low, 1 + 4 * high))


def tango(b, c, n, z=1.959964):
    """Tango's score interval by its definition, on a grid."""
    grid = np.linspace(-0.999, 0.999, 400_001)
    big_b = -b - c + (2 * n - b + c) * grid
    lost = (np.sqrt(big_b**2 + 8 * n * c * grid * (1 - grid)) - big_b) / (4 * n)
    inside = grid[np.abs(b - c - n * grid) <= z * np.sqrt(n * (2 * lost + grid * (1 - grid)))]
    return inside.min(), inside.max()


@pytest.mark.parametrize(("b", "c", "n"), [(1, 0, 168), (4, 0, 168), (9, 2, 44), (30, 40, 300), (0, 0, 50), (0, 0, 1)])
def test_with_a_prompt_per_cluster_a_difference_has_tangos_interval(b, c, n):
    frame = pd.DataFrame({"y": [1.0] * b + [-1.0] * c + [0.0] * (n - b - c), "language": 0, "cluster": range(n)})
    low, high, _ = intervals.difference(mean_of(frame), np.asarray((b + c) / n), 1, 0.95)
    assert (low, high) == pytest.approx(tango(b, c, n), abs=2e-5)


@pytest.mark.parametrize("span", [1, 4])
@pytest.mark.parametrize(
    ("clusters", "pairs"),
    [
        # Pairs: the variance of one, moved - d², over that of the mean of clusters, by hand.
        ([[1, 0], [-1, 0], *[[1, -1]] * 4], (10 / 12) / (1 / 60)),  # closer together than independent items
        ([[1, 1], [-1, -1], *[[0, 0]] * 4], (4 / 12) / (1 / 15)),
        ([[1, 1]] * 3 + [[0, 0]] * 3, (1 / 4) / (1 / 20)),
        ([[1] * 10 + [0] * 90, [1] * 20 + [0] * 80], (0.15 - 0.15**2) / 0.05**2),
    ],
)
def test_a_difference_of_clusters_is_tangos_of_as_many_pairs_as_give_their_variance(clusters, pairs, span):
    items = [(value, one) for one, values in enumerate(clusters) for value in values]
    frame = pd.DataFrame(items, columns=["y", "cluster"]).assign(language=0)
    up, down = ((frame["y"] == sign).mean() for sign in (1, -1))
    found = mean_of(frame.assign(y=span * frame["y"]))
    low, high, df = intervals.difference(found, np.asarray(span * (up + down)), span, 0.95)
    assert df == pytest.approx(len(clusters) - 1)
    expected = tango(up * pairs, down * pairs, pairs, z=stats.t.isf(0.025, len(clusters) - 1))
    assert (low / span, high / span) == pytest.approx(expected, abs=2e-5)


def test_two_items_of_one_cluster_say_nothing_about_others():
    frame = pd.DataFrame({"y": [0.0, 1], "language": 0, "cluster": 0})
    assert intervals.interval(mean_of(frame), (0, 1), 0.95)[:2] == (0, 1)
    assert intervals.difference(mean_of(frame), np.asarray(0.5), 4, 0.95)[:2] == (-4, 4)


def test_the_detectable_difference_is_that_of_the_normal_formula():
    # 1.96 + 0.84 standard errors of 0.01
    found = intervals.detectable(np.array(-0.0196), np.array(0.0196), np.array(np.inf), 0.95)
    assert found == pytest.approx(0.028, abs=1e-4)


def run_of(values, scores, independent):
    weights = np.full(len(scores), 1 / len(scores))
    return Mean(
        np.asarray(values),
        np.asarray(independent),
        weights,
        np.asarray(scores),
        weights,
        np.asarray(9),
        np.asarray(False),
    )


@pytest.mark.parametrize(
    "scores",
    [
        [4.0] * 4 + [-1] * 16,  # less excess than twice the squared skewness
        [-5.0, 6, 2, 2, -5] + [0.5, -0.5] * 7 + [0],  # more
        [7.0, 5, -5] + [-0.5] * 14 + [0] * 3,  # more, and both cost some
        [19.0] + [-1] * 19,  # the least that skewness leaves
        [9.0, -9] + [0] * 18,  # long tails, but symmetric
        [1.0, -1] * 10,  # shorter tails than normal ones
        [3.0, -1, -1, -1],
    ],
)
def test_skewness_and_excess_that_cost_degrees_of_freedom_are_scipys(scores):
    count = len(scores)
    excess = min(max(stats.kurtosis(scores, bias=False), 0), 2 * stats.skew(scores, bias=False) ** 2)
    equal, skewed = intervals.degrees(run_of(0.5, np.asarray(scores) / 100, 0.0))
    assert equal == pytest.approx(count - 1)
    assert skewed == pytest.approx(min(max(2 * count / (2 + excess), 4), count - 1))


def test_clusters_of_unequal_weight_leave_fewer_degrees_of_freedom():
    # by hand: weights 0.5, 0.25 and 0.25; (6/16)² / (18/256) - 1
    items = pd.DataFrame({"y": [0.0, 1, 0, 1], "language": 0, "cluster": [0, 0, 1, 2]})
    assert intervals.degrees(mean_of(items)) == (pytest.approx(1), pytest.approx(1))
    weights = np.array([0.3, 0.3, 0.3, 0.1])
    found = replace(run_of(0.5, [0.01, -0.01, 0.01, -0.01], 0.0), weights=weights)
    assert intervals.degrees(found)[0] == pytest.approx(0.28**2 / (3 * 0.3**4 + 0.1**4) - 1)


def test_the_independent_part_is_that_of_the_items_of_each_language():
    frame = clustered(np.random.default_rng(6))
    of_each = frame.groupby("language")["y"].agg(lambda y: y.var() / len(y))
    found = mean_of(frame)
    assert found.independent == pytest.approx(of_each.sum() / 9)
    assert found.between == pytest.approx(intervals.jackknife(found) - found.independent) and found.between > 0
    alone = pd.DataFrame({"y": [0.0, 1, 1, 1], "language": 0, "cluster": range(4)})
    assert mean_of(alone).independent == pytest.approx(0.25 * 0.75 / 4) and mean_of(alone).between == 0


def test_clusters_closer_than_independent_items_take_nothing_from_an_interval_of_a_mean():
    values = [1, 0, -1, 0, *[1, -1] * 4]
    found = mean_of(pd.DataFrame({"y": values, "language": 0, "cluster": np.repeat(range(6), 2)}))
    whole = (10 / 12) / 11
    assert intervals.spread(found, 0.95) == pytest.approx((stats.t.isf(0.025, 5) ** 2 * whole, 0, 5))


def test_each_part_of_the_variance_has_its_own_quantile():
    scores = np.array([4.0] * 4 + [-1] * 16) * np.sqrt(0.09 * 0.9025 / 76)  # so that clusters make it 0.09
    runs = {"training": np.asarray(0.03), "between_runs": np.asarray(0.02), "runs": 3}
    found = replace(run_of(0.5, scores, 0.04), **runs)
    own = float(intervals.degrees(found)[1])
    assert intervals.jackknife(found) == pytest.approx(0.09) and own < 19
    # independent items 0.04; clusters 0.05 and runs 0.03 that prompts share, less 0.02; what runs differ by 0.02
    parts = {19: 0.04, own: 0.06, 2: 0.02}
    widened = (sum(part * stats.t.isf(0.025, df) for df, part in parts.items()) / 0.12) ** 2
    df = 0.12 / sum(part / df for df, part in parts.items())
    assert intervals.spread(found, 0.95) == pytest.approx((widened * 0.04, widened * 0.08, df))


def test_seeds_are_combined_by_obuchowski_and_rockette():
    rng = np.random.default_rng(4)
    scores = rng.normal(size=(3, 20)) * 0.002 + rng.normal(size=20) * 0.003
    scores -= scores.mean(1, keepdims=True)
    runs = [run_of(value, z, 0.0) for value, z in zip((0.02, 0.06, 0.10), scores, strict=True)]
    whole = seeds.over_runs(runs)
    assert whole.value == pytest.approx(0.06) and whole.runs == 3
    off = [(0, 1), (0, 2), (1, 2)]
    covariance = np.mean([intervals.jackknife(runs[i], runs[j]) for i, j in off])
    between = np.var([0.02, 0.06, 0.10], ddof=1) / 3
    assert whole.between_runs == pytest.approx(between)
    inner, rest, df = intervals.spread(whole, 0.95)
    own = intervals.degrees(whole)[1]
    assert inner == 0  # no item differs in itself
    quantile = (4.302653 * between + stats.t.isf(0.025, own) * covariance) / (between + covariance)
    assert rest == pytest.approx(quantile**2 * (between + covariance), rel=1e-5)
    assert df == pytest.approx((between + covariance) / (between / 2 + covariance / own))
    low, high, _ = intervals.interval(whole, (0, 1), 0.95)
    # seeds at 2, 6 and 10 %: not 6 % [5.7, 6.3]
    assert low < 0.02 and high > 0.15


def test_over_seeds_items_are_independent_as_far_as_clusters_are():
    scores = np.array([1.0, -1, 1, -1]) * 0.01
    other = np.array([1.0, 1, -1, -1]) * 0.01  # moves with the first by nothing
    for both, share in (((scores, scores), 1), ((scores, -scores), 0), ((scores, other), 0.5)):
        runs = [run_of(0.1, one, independent) for one, independent in zip(both, (0.02, 0.04), strict=True)]
        assert seeds.over_runs(runs).independent == pytest.approx(0.03 * share)


def test_one_seed_is_as_it_is_and_seeds_that_agree_add_nothing():
    run = mean_of(clustered(np.random.default_rng(5)))
    assert seeds.over_runs([run]) is run
    twice = seeds.over_runs([run, run])
    assert twice.between_runs == 0 and twice.training == pytest.approx(0)
    low, high, _ = intervals.interval(run, (0, 1), 0.95)
    assert intervals.interval(twice, (0, 1), 0.95)[:2] == pytest.approx((low, high), rel=0.1)
