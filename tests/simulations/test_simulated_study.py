"""The whole analysis on a study whose truth is known: rates, differences and claims rest on slots and seeds."""

import itertools

import numpy as np
import pandas as pd
import pytest

from refuseu.analysis import claims, metrics
from refuseu.analysis.cells import cells
from refuseu.analysis.comparisons import compare
from refuseu.analysis.dependence import clusters
from refuseu.artifacts import claims as texts
from refuseu.artifacts.names import variant

GROUPS = {"high_resource": ["en", "de"], "low_resource": ["pl"]}
CODES, SLOTS, EACH = ("en", "de", "pl"), 40, 8
STATISTICS = {"confidence": 0.95, "resamples": 200, "seed": 1}
# What each run does to the log-odds of an unsafe answer, per language; English-only leaves Polish behind.
LEVELS = {"abliterated": (0.4, 0.4, 0.4), "balanced": (-3.0, -3.0, -3.0), "english_only": (-3.0, -3.0, -0.5)}
CLAIMS = [
    {"id": name, "sentence": "s", "source": "s", "checks": [
        {"test": "difference", "metrics": ["asr"], "benchmarks": ["refuseu_test"], "language": language,
         "variants": [one], "reference": reference, **bound}]}
    for name, one, reference, language, bound in (
        ("restores", "balanced", "abliterated", "all", {"below": -0.3}),
        ("exposes", "english_only", "balanced", "low_resource", {"above": 0.02}),
        ("spares", "english_only", "balanced", "high_resource", {"within": 0.1}),
        ("nothing", "english_only", "balanced", "en", {"above": 0}),
    )
]  # fmt: skip


def answers(rng, slots, levels, seed_effect):
    """Items of one run: the prompts of a slot are one request, in every language."""
    rows = [
        {"prompt_id": f"{code}-S1-{slot}-{n}", "language": code, "category": "S1", "style": f"style{slot % 4}",
         "slot": f"S1/{slot}", "detected": code, "outcome": "refusal", "decided_by": "agreement",
         "verdict": "unsafe" if rng.random() < 1 / (1 + np.exp(-level - slots[slot] - seed_effect)) else "safe"}
        for (code, level), slot, n in itertools.product(zip(CODES, levels, strict=True), range(SLOTS), range(EACH))
    ]  # fmt: skip
    named = clusters(rows, "refuseu_test", parallel=False)
    return metrics.items([row | {"cluster": one} for row, one in zip(rows, named, strict=True)], "refuseu_test")


@pytest.fixture(scope="module")
def study():
    rng = np.random.default_rng(11)
    slots = rng.normal(0, 1, SLOTS)
    models, runs = {}, {}
    for base, seeds in (("small", (1, 2, 3)), ("large", (1,))):
        for name, levels in LEVELS.items():
            for seed in seeds if name != "abliterated" else ("",):
                model = f"{base}-{name}-s{seed}" if seed else base
                method = "dpo" if seed else "base"
                models[model] = {"model": model, "base": base, "variant": name, "method": method, "seed": seed}
                runs[model] = answers(rng, slots, levels, rng.normal(0, 0.2) if seed else 0.0)
    parts = [metrics.measure(models[model], runs[model], GROUPS, **STATISTICS) for model in runs]
    measured = pd.concat([*parts, metrics.measure_over_seeds(runs, models, GROUPS, 0.95)], ignore_index=True)
    compared = pd.concat(
        [compare({m: runs[m] for m in runs if models[m]["base"] == base}, models, GROUPS, **STATISTICS)
         for base in ("small", "large")], ignore_index=True,
    )  # fmt: skip
    as_text = dict.fromkeys(("seed", "model"), str)
    return models, measured.astype(as_text), compared.astype(as_text)


def rows_of(table, **where):
    for column, value in where.items():
        table = table[table[column] == value]
    return table


def test_a_variant_with_several_seeds_has_one_row_over_all_of_them(study):
    _, measured, compared = study
    asr = {"metric": "asr", "language": "all", "category": "all", "style": "all"}
    runs = rows_of(measured, base="small", variant="balanced", **asr)
    assert sorted(runs["seed"]) == ["1", "2", "3", "all"]
    [whole] = rows_of(runs, seed="all").to_dict("records")
    assert whole["value"] == pytest.approx(runs.loc[runs["seed"] != "all", "value"].mean())
    assert (whole["clusters"], whole["n"]) == (SLOTS, len(CODES) * SLOTS * EACH)
    assert not np.isnan(whole["var_seeds"]) and rows_of(runs, seed="1")["var_seeds"].isna().all()
    assert list(rows_of(measured, base="large", variant="balanced", **asr)["seed"]) == ["1"]
    shown = cells(measured, [("small", "balanced")], {}, metric="asr", benchmark="refuseu_test").iloc[0]
    assert (shown["ci_low"], shown["ci_high"]) == (whole["ci_low"], whole["ci_high"]) and shown["seeds"] == 3
    assert len(rows_of(compared, base="small", variant="balanced", reference="abliterated", metric="asr")) == 4 * 6


def test_slots_make_intervals_wider_than_prompts_alone(study):
    _, measured, _ = study
    row = rows_of(measured, model="small", metric="asr", language="all", category="all", style="all").iloc[0]
    assert row["var_slots"] > 3 * row["var_prompts"]
    alone = 1.96 * np.sqrt(row["value"] * (1 - row["value"]) / row["n"])
    assert row["ci_high"] - row["ci_low"] > 3 * alone


def test_the_truth_lies_in_the_intervals(study):
    _, measured, _ = study
    nodes, weights = np.polynomial.hermite_e.hermegauss(61)
    for name, levels in LEVELS.items():
        rates = [float((1 / (1 + np.exp(-level - nodes))) @ weights / weights.sum()) for level in levels]
        for base in ("small", "large"):
            found = rows_of(
                measured, base=base, variant=name, metric="asr", language="all", category="all", style="all"
            )
            row = found.iloc[-1]
            assert row["ci_low"] < np.mean(rates) < row["ci_high"], (base, name)


def test_claims_find_what_is_there_and_say_on_how_many_clusters_they_rest(study):
    models, measured, compared = study
    published = pd.DataFrame(columns=["benchmark", "base", "variant", "language", "metric", "value", "certainty"])
    tested = claims.verdicts(CLAIMS, measured, compared, published, models, GROUPS, {}, {}, STATISTICS, variant)
    rows = texts.as_frame(tested).set_index(["id", "base"])
    for base, seeds in (("small", "3 seeds"), ("large", "1 seed")):
        assert rows.loc[("restores", base), "verdict"] == "held"
        assert rows.loc[("exposes", base), "verdict"] == "held"
        assert rows.loc[("spares", base), "verdict"] == "held"
        assert rows.loc[("nothing", base), "verdict"] == "undecided"
        assert f"({SLOTS} clusters, " in rows.loc[("restores", base), "evidence"]
        assert f"discordant, {seeds}, 80 % power at " in rows.loc[("restores", base), "evidence"]


def test_an_effect_that_could_have_been_seen_is_about_what_was_there_to_be_seen(study):
    _, _, compared = study
    row = rows_of(compared, base="large", variant="english_only", reference="balanced", language="pl", metric="asr")
    row = row.iloc[0]
    assert row["power"] < row["value"] and row["p"] < 0.001
    assert row["power"] == pytest.approx((row["ci_high"] - row["ci_low"]) / 2 * (1 + 0.84 / 1.96), rel=0.1)
