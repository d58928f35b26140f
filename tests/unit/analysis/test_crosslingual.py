"""Consistency over languages: hand-computed values and the published ones."""

import numpy as np
import pandas as pd
import pytest

from refuseu.analysis import crosslingual, metrics
from support.helpers import ROOT

STATISTICS = {"confidence": 0.95, "resamples": 500, "seed": 1}


def items(outcomes):
    """Items from {language: [0 or 1 or None, ...]}."""
    rows = [("bench", code, f"bench-{code}-{i}", str(i), value) for code, values in outcomes.items()
            for i, value in enumerate(values)]  # fmt: skip
    return pd.DataFrame(rows, columns=[*metrics.ITEM, "cluster", "asr"]).astype({"asr": float})


def test_pairs_of_languages_that_agree():
    frame = items({"en": [0, 0, 1, 0], "de": [0, 1, 1, 0], "pl": [0, 1, 0, None]})
    (_, spread), (metric, pag) = crosslingual.estimates(frame, **STATISTICS)
    # of 3 pairs agree 3, 1, 1; of the one pair of the last prompt 1
    assert (metric, pag["value"], pag["n"]) == ("pag", pytest.approx(6 / 10), 4)
    assert spread["value"] == pytest.approx(np.var([1 / 4, 2 / 4, 1 / 3]))


def test_languages_that_always_agree_have_no_variance():
    (_, spread), (_, pag) = crosslingual.estimates(items({"en": [0, 1, 1], "de": [0, 1, 1]}), **STATISTICS)
    assert (spread["value"], pag["value"]) == (0, 1)
    # not certain: 1 - z² / (3 + z²), and a quarter of that bound for the variance
    unseen = 3.8414588 / 6.8414588
    assert (pag["ci_low"], pag["ci_high"]) == pytest.approx((1 - unseen, 1))
    assert (spread["ci_low"], spread["ci_high"]) == pytest.approx((0, unseen / 4))


def test_languages_that_never_agree_are_as_uncertain_as_their_number_of_prompts_is_small():
    (_, spread), (_, pag) = crosslingual.estimates(items({"en": [0, 0, 0], "de": [1, 1, 1]}), **STATISTICS)
    assert (spread["value"], pag["value"]) == (0.25, 0)
    unseen = 3.8414588 / 6.8414588
    assert (pag["ci_low"], pag["ci_high"]) == pytest.approx((0, unseen))
    assert (spread["ci_low"], spread["ci_high"]) == pytest.approx((0.25 - unseen / 4, 0.25))
    assert {row["clusters"] for row in (spread, pag)} == {3}


def test_a_prompt_in_one_language_only_and_unjudged_answers_count_nowhere():
    frame = items({"en": [0, 1, 1], "de": [0, None]})
    assert [row["n"] for _, row in crosslingual.estimates(frame, **STATISTICS)] == [1, 1]
    assert crosslingual.estimates(items({"en": [0, 1]}), **STATISTICS) == []


def test_neither_measure_is_taken_over_the_languages_that_are_left():
    found = crosslingual.estimates(items({"en": [0, 1], "de": [0, 1], "pl": [None, None]}), **STATISTICS)
    assert [metric for metric, _ in found] == ["asr_variance", "pag"]
    assert {(row["n"], row["clusters"]) for _, row in found} == {(2, 2)}
    assert all(np.isnan([row[key] for key in ("ci_low", "ci_high")]).all() for _, row in found)
    assert all(np.isnan(row["value"]) for _, row in found)


def test_the_published_variance_is_the_population_variance_of_the_rates():
    published = pd.read_csv(ROOT / "resources/published/mlc.csv")
    rates = published[(published["metric"] == "safety_rate") & (published["language"] != "all")]
    for variant, rows in rates.groupby("variant"):
        theirs = published[(published["variant"] == variant) & (published["metric"] == "asr_variance")]["value"].item()
        assert crosslingual.variance(
            rows["value"].to_numpy()[None] / 100, np.ones((1, 1))
        ).item() * 100 == pytest.approx(theirs, abs=0.01)


def test_measures_of_a_benchmark_with_translated_prompts(tmp_path):
    frame = items({"en": [0, 0, 1], "de": [0, 1, 1]}).assign(category="", style="")
    labels = {"model": "m", "base": "m", "variant": "abliterated", "method": "base", "seed": ""}
    groups = {"high_resource": ["en", "de"]}
    rows = metrics.measure(labels, frame, groups, parallel=True, **STATISTICS)
    pag = rows[rows["metric"] == "pag"]
    assert pag[["benchmark", "language", "category", "value", "n"]].values.tolist() == [
        ["bench", "all", "all", pytest.approx(2 / 3), 3]
    ]
    assert "pag" not in set(metrics.measure(labels, frame, groups, **STATISTICS)["metric"])


def test_the_interval_of_the_variance_is_shifted_by_twice_the_bias_of_the_resampled_values():
    frame = items({"en": [0, 0, 1, 0, 1, 1, 0, 0], "de": [0, 1, 1, 0, 1, 1, 1, 1], "pl": [0, 1, 0, None, 0, 0, 0, 0]})
    table = crosslingual.outcomes(frame).to_numpy(float)
    weights = np.random.default_rng(1).multinomial(8, np.full(8, 1 / 8), size=500)
    found = dict(crosslingual.estimates(frame, **STATISTICS))
    drawn = np.array([np.nanmean(np.repeat(table, counts, axis=0), axis=0).var() for counts in weights])
    bias = drawn.mean() - found["asr_variance"]["value"]
    assert abs(bias) > 0.001
    low, high = np.quantile(drawn, [0.025, 0.975]) - 2 * bias
    assert found["asr_variance"]["ci_low"] == pytest.approx(max(low, 0)) and low < 0
    assert found["asr_variance"]["ci_high"] == pytest.approx(high)
    agreed = [crosslingual.pairwise_agreement(np.repeat(table, counts, axis=0), np.ones((1, 8))) for counts in weights]
    assert (found["pag"]["ci_low"], found["pag"]["ci_high"]) == pytest.approx(
        tuple(np.quantile(agreed, [0.025, 0.975]))
    )


def test_prompts_are_those_that_two_languages_have_with_one_row_each():
    table = crosslingual.outcomes(items({"en": [0, 1, 1, 0], "de": [1, None, 0], "pl": [None, None, 1]}))
    assert list(table.index) == ["0", "2"] and list(table.columns) == ["de", "en", "pl"]
    assert table.loc["2"].tolist() == [0, 1, 1]
    assert table.loc["0"].tolist() == pytest.approx([1, 0, np.nan], nan_ok=True)
