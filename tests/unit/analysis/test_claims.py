"""Claims: verdicts from intervals, the published numbers, and the file itself."""

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import yaml
from scipy import stats

from refuseu.analysis import claims, linguistic_distance
from refuseu.analysis.metrics import COLUMNS
from refuseu.analysis.published import published_names, read_published
from refuseu.analysis.verdict import HELD, NOT_HELD, NOT_TESTED, UNDECIDED, Estimate, check_of, decide
from refuseu.artifacts import claims as texts
from refuseu.artifacts.names import variant
from refuseu.errors import UserError

ROOT = Path(__file__).parents[3]
GROUPS = {"high_resource": ["en", "de", "fr"], "low_resource": ["pl", "cs", "sk"]}
DISTANCES = linguistic_distance.read(ROOT / "resources/linguistic_distance.tsv")
STATISTICS = {"confidence": 0.95, "resamples": 200, "seed": 1}
MODELS = {
    "small": {"base": "small", "variant": "abliterated", "method": "base", "seed": ""},
    "large": {"base": "large", "variant": "abliterated", "method": "base", "seed": ""},
}
COMPARED = [
    "base",
    "variant",
    "seed",
    "reference",
    "benchmark",
    "language",
    "metric",
    "value",
    "ci_low",
    "ci_high",
]
ENDS = ["value", "ci_low", "ci_high"]
NO_METRICS = pd.DataFrame(columns=COLUMNS)
NO_COMPARISONS = pd.DataFrame(columns=COMPARED)


def estimate(low, high):
    return Estimate("x", (low + high) / 2, low, high)


@pytest.mark.parametrize(
    ("intervals", "bound", "verdict"),
    [
        ([(0.03, 0.05)], {"above": 0.02}, HELD),
        ([(0.01, 0.05)], {"above": 0.02}, UNDECIDED),
        ([(0.00, 0.01)], {"above": 0.02}, NOT_HELD),
        ([(0.00, 0.01)], {"below": 0.02}, HELD),
        ([(0.03, 0.05)], {"below": 0.02}, NOT_HELD),
        ([(0.03, 0.05), (0.01, 0.05)], {"above": 0.02}, UNDECIDED),
        ([(0.03, 0.05), (0.00, 0.01)], {"above": 0.02}, NOT_HELD),
        ([(0.02, 0.02)], {"above": 0.02}, UNDECIDED),
        ([(0.02, 0.05)], {"above": 0.02}, UNDECIDED),
        ([(0.00, 0.02)], {"above": 0.02}, UNDECIDED),
        ([(-0.005, 0.008)], {"within": 0.01}, HELD),
        ([(-0.005, 0.012)], {"within": 0.01}, UNDECIDED),
        ([(0.012, 0.02)], {"within": 0.01}, NOT_HELD),
        ([(float("nan"), float("nan"))], {"above": 0.02}, NOT_TESTED),
        ([(0.03, 0.05), (float("nan"), float("nan"))], {"above": 0.02}, UNDECIDED),
        ([], {"below": 0}, NOT_TESTED),
    ],
)
def test_decide(intervals, bound, verdict):
    assert decided([estimate(*ends) for ends in intervals], **bound) == verdict


def decided(estimates, **check):
    return decide(estimates, check_of(check), 0.95)


def verdicts(metrics=NO_METRICS, comparisons=NO_COMPARISONS, models=MODELS, trained_on=None):
    files = [ROOT / f"resources/published/{name}.csv" for name in ("table1_asr_refuseu_test", "mlc")]
    published = read_published(files, models)
    listed = claims.read(ROOT / "config/claims.yaml")
    return claims.verdicts(
        listed, metrics, comparisons, published, models, GROUPS, trained_on or {}, DISTANCES, STATISTICS, variant
    )


def run(*args, **kwargs):
    return texts.as_frame(verdicts(*args, **kwargs)).set_index(["id", "base"])


def test_each_row_has_the_words_of_its_claim_and_whether_it_matters_most():
    listed = claims.read(ROOT / "config/claims.yaml")
    found = {one.id: (one.sentence, one.source, one.main) for one in verdicts()}
    assert found == {one["id"]: (one["sentence"], one["source"], one.get("main", False)) for one in listed}
    assert {main for *_, main in found.values()} == {True, False}


def test_that_one_of_several_holds_is_corrected_for_the_estimates_of_all_checks(monkeypatch):
    single = stats.norm.isf(0.025)  # of an estimate with a standard error of 1
    near = Estimate("x", single * 1.05, single * 0.05, single * 2.05)
    monkeypatch.setitem(claims.TESTS, "level", lambda *_: [near])
    check, evidence = {"test": "level", "above": 0, "some": True}, SimpleNamespace(confidence=0.95)
    assert claims.evaluate([check], "small", evidence).verdict == HELD
    assert claims.evaluate([check, check], "small", evidence).verdict == UNDECIDED


def test_first_claim_is_true_of_the_published_70b_only():
    rows = run()
    assert rows.loc[("english_only_exposes_low_resource", "small"), "published_verdict"] == "not held, either way"
    assert rows.loc[("english_only_exposes_low_resource", "large"), "published_verdict"] == HELD
    text = rows.loc[("english_only_exposes_low_resource", "small"), "published_evidence"]
    # 3.29 - 5.98, and with the columns mirrored 3.85 - 2.89
    ours, mirrored = "English-only minus Balanced: −2.69 points", "English-only minus Balanced: 0.96 points"
    assert text == f"order of columns uncertain: {ours}; mirrored: {mirrored}"


def test_second_claim_is_true_of_both_published_sizes_and_the_rest_is_not_tested():
    rows = run()
    # 3.52 - 59.38, and with the columns mirrored 2.13 - 59.38
    for value in ("−55.86 points", "−57.25 points"):
        assert value in rows.loc[("balanced_restores_refusal", "small"), "published_evidence"]
    assert rows.loc[("balanced_restores_refusal", "small"), "published_verdict"] == "held, either way"
    assert rows.loc[("balanced_restores_refusal", "large"), "published_verdict"] == HELD
    rest = rows.drop(["english_only_exposes_low_resource", "balanced_restores_refusal"], level="id")
    rest = rest.drop("qwen2.5_7b", level="base")
    assert set(rest["published_verdict"]) == {NOT_TESTED}
    assert set(rows["verdict"]) == {NOT_TESTED}


def compared(
    base, value, metric="asr", language="low_resource", variant="english_only", reference="balanced", seed="1"
):
    benchmark = "fluency" if metric in ("fluency", "correctness") else "refuseu_test"
    return (base, variant, seed, reference, benchmark, language, metric, value, value - 0.01, value + 0.01)


def test_our_differences_decide_per_base_and_over_all_seeds():
    rows = [compared("small", 0.1), compared("small", 0.02, seed="2"), compared("large", -0.1)]
    result = run(comparisons=pd.DataFrame(rows, columns=COMPARED))
    small = result.loc[("english_only_exposes_low_resource", "small")]
    assert small["verdict"] == UNDECIDED
    # two seeds, 10 and 2: 6 ± 12.7 * 4, the t quantile with one degree of freedom times the standard error
    assert "6.00 [−44.83, 56.83] points (2 seeds)" in small["evidence"]
    assert result.loc[("english_only_exposes_low_resource", "large"), "verdict"] == NOT_HELD


def test_bases_are_matched_by_measure_and_seeds_are_combined_first():
    """Three seeds on one base and one on the other: no measure of one is compared with another of the other."""
    losses = {"fluency": -0.5, "correctness": -0.3}
    rows = [
        compared("small", losses[metric] + off, metric, "all", "balanced", "abliterated", seed)
        for seed, off in (("1", -0.001), ("2", 0), ("3", 0.001), ("all", 0))
        for metric in losses
    ] + [compared("large", -0.1, metric, "all", "balanced", "abliterated") for metric in losses]
    row = run(comparisons=pd.DataFrame(rows, columns=COMPARED)).loc[
        ("small_models_lose_more_fluency", claims.ALL_BASES)
    ]
    assert row["verdict"] == HELD
    assert "fluency, small minus large: −0.400" in row["evidence"]
    assert "correctness, small minus large: −0.200" in row["evidence"]
    assert row["evidence"].count("small minus large") == 2


def test_a_reference_with_more_seeds_than_the_run_is_one_number():
    rows = [
        ("small", variant, "dpo", seed, "rtp_lx", "all", "pag", "all", value, value - 0.01, value + 0.01)
        for variant, seed, value in (
            ("english_only", "1", 0.5), ("english_only", "2", 0.6), ("english_only", "3", 0.7),
            ("english_only_mlc", "1", 0.9),
        )
    ]  # fmt: skip
    columns = ["base", "variant", "method", "seed", "benchmark", "language", "metric", "category", *ENDS]
    metrics = pd.DataFrame(rows, columns=columns).reindex(columns=COLUMNS).assign(style="all")
    evidence = run(metrics=metrics).loc[("mlc_evens_out_languages", "small"), "evidence"]
    # the reference: 0.6 ± hypot(4.303 × 0.1 / √3, 0.01) = 0.6 ± 0.2486; of two measures one is there
    assert evidence.endswith("English-only + MLC minus English-only: 0.300 [0.051, 0.549] (1 seed)")
    assert evidence.count("English-only + MLC minus English-only") == 2


def test_between_bases_combines_both_intervals():
    rows = [
        compared(base, value, metric, "all", "balanced", "abliterated")
        for base, value in (("small", -0.5), ("large", -0.1))
        for metric in ("fluency", "correctness")
    ]
    row = run(comparisons=pd.DataFrame(rows, columns=COMPARED)).loc[
        ("small_models_lose_more_fluency", claims.ALL_BASES)
    ]
    assert row["verdict"] == HELD
    assert "−0.400 [−0.414, −0.386]" in row["evidence"]  # half-width 0.01 times the root of 2


@pytest.mark.parametrize(
    ("ours", "names"),
    [
        (["small", "large"], {"8b": "small", "70b": "large"}),
        (["small"], {"8b": "small"}),
        (["8b", "70b"], {"8b": "8b", "70b": "70b"}),
        (["70b", "8b"], {"8b": "8b", "70b": "70b"}),
        (["70b"], {"70b": "70b"}),
        (["8b", "13b", "70b"], {"8b": "8b", "70b": "70b"}),
        (["13b", "8b"], {"8b": "8b"}),
        ([], {}),
    ],
)
def test_the_papers_bases_are_ours_of_that_name_wherever_they_stand(ours, names):
    assert published_names(ours) == names


def test_the_smaller_base_is_the_first_of_a_difference_also_where_the_sheet_has_it_last():
    models = {base: {"base": base, "variant": "abliterated", "method": "base", "seed": ""} for base in ("70b", "8b")}
    rows = [
        compared(base, value, metric, "all", "balanced", "abliterated")
        for base, value in (("8b", -0.5), ("70b", -0.1))
        for metric in ("fluency", "correctness")
    ]
    found = run(comparisons=pd.DataFrame(rows, columns=COMPARED), models=models)
    row = found.loc[("small_models_lose_more_fluency", claims.ALL_BASES)]
    assert row["verdict"] == HELD
    assert "8b minus 70b: −0.400" in row["evidence"]


@pytest.mark.parametrize("kind", ["genetic", "geographic"])
@pytest.mark.parametrize(("scale", "verdict"), [(0.1, HELD), (0, NOT_TESTED)])
def test_transfer_is_held_when_the_near_gain_and_not_tested_when_nothing_varies(kind, scale, verdict):
    codes = [code for group in GROUPS.values() for code in group]
    distance = linguistic_distance.matrix(kind, [DISTANCES[code] for code in codes])
    trained_on = {f"small-single_{code}-s1": [code] for code in codes}
    rows = [
        (model, "small", f"single_{own}", "dpo", "1", other, 0.3 + scale * distance[codes.index(own), place])
        for model, (own,) in trained_on.items()
        for place, other in enumerate(codes)
    ] + [("small", "small", "abliterated", "base", "", code, 0.9) for code in codes]
    metrics = pd.DataFrame(rows, columns=["model", "base", "variant", "method", "seed", "language", "value"])
    metrics = metrics.assign(benchmark="refuseu_test", metric="asr", category="all", ci_low=0.0, ci_high=1.0, n=9)
    metrics = metrics.reindex(columns=COLUMNS).assign(style="all")
    claim = {"genetic": "transfer_follows_relatedness", "geographic": "transfer_follows_geography"}[kind]
    row = run(metrics[COLUMNS], trained_on=trained_on).loc[(claim, "small")]
    assert row["verdict"] == verdict


def test_pairs_of_languages_without_a_verdict_are_counted_beside_the_transfer_test():
    codes = [code for group in GROUPS.values() for code in group]
    models = {f"{code}-s{seed}": [code] for code in codes for seed in (1, 2)}
    rows = [(model, "single", "dpo", other, 0.1 * place) for model in models for place, other in enumerate(codes)]
    rows += [("small", "abliterated", "base", code, 0.9) for code in codes]
    table = pd.DataFrame(rows, columns=["model", "variant", "method", "language", "value"])
    table = table.assign(base="small", metric="asr", benchmark="refuseu_test", category="all")
    lost = (table["model"] == "en-s2") & (table["language"] == "pl")  # the other seed is no mean of both
    for frame, text in ((table, "6 languages, one-sided"), (table.assign(value=table["value"].mask(lost)),
                        "6 languages, 1 of their pairs missing, one-sided")):  # fmt: skip
        evidence = claims.Evidence(
            frame, NO_COMPARISONS, ["small"], GROUPS, models, DISTANCES, variant, 0.95, 100, 1
        )  # fmt: skip
        check = {"metrics": ["asr"], "benchmarks": ["refuseu_test"], "distance": "genetic"}
        [found] = claims.transfer(check, "small", evidence)
        assert found.of.startswith(text)


def test_an_estimate_that_one_of_several_seeds_lacks_is_missing():
    rows = [("small", "balanced", seed, "refuseu_test", "all", "asr", "all", value, 0.0, 1.0)
            for seed, value in (("1", 0.2), ("2", float("nan")), ("all", float("nan")))]  # fmt: skip
    columns = ["base", "variant", "seed", "benchmark", "language", "metric", "category", *ENDS]
    for frame in (pd.DataFrame(rows, columns=columns), pd.DataFrame(rows[:2], columns=columns)):
        evidence = claims.Evidence(frame, NO_COMPARISONS, ["small"], GROUPS, {}, {}, variant, 0.95, 100, 1)
        one = {"metrics": ["asr"], "benchmarks": ["refuseu_test"], "variants": ["balanced"], "language": "all"}
        [found] = claims.estimates(one, "small", frame, evidence).values()
        assert found.value != found.value and texts.in_words(found) == "Balanced: none"


def test_a_language_without_a_row_stays_out_of_the_transfer_test():
    evidence = claims.Evidence(
        pd.DataFrame(
            [(f"m{own}", "small", f"single_{own}", "dpo", "asr", "refuseu_test", "all", other, 0.1 * n)
             for own in GROUPS["low_resource"] for n, other in enumerate(GROUPS["low_resource"])],
            columns=["model", "base", "variant", "method", "metric", "benchmark", "category", "language", "value"],
        ), NO_COMPARISONS, ["small"], GROUPS, {f"m{c}": [c] for c in GROUPS["low_resource"]}, {}, variant, 0.95, 100, 1,
    )  # fmt: skip
    check = {"metrics": ["asr"], "benchmarks": ["refuseu_test"], "distance": "genetic"}
    assert claims.transfer(check, "small", evidence) == []


def test_some_run_is_enough_where_the_claim_says_so():
    intervals = [estimate(0.03, 0.05), estimate(0.00, 0.01)]
    assert decided(intervals, above=0.02, some=True) == HELD
    assert decided(intervals[1:], above=0.02, some=True) == NOT_HELD
    assert decided([*intervals[1:], estimate(0.01, 0.05)], above=0.02, some=True) == UNDECIDED
    assert decided([*intervals[1:], Estimate("x")], above=0.02, some=True) == UNDECIDED


def test_a_claim_about_one_base_has_one_row():
    assert run().loc["portuguese_is_an_exception"].index.tolist() == ["large"]
    models = {"70b": {**MODELS["large"], "base": "70b"}}
    assert run(models=models).loc["portuguese_is_an_exception"].index.tolist() == ["70b"]


def test_the_published_figures_of_the_consistency_loss_are_tested_on_their_own_base():
    rows = run()
    safer = rows.loc[("mlc_extends_safety", "qwen2.5_7b")]
    assert (safer["verdict"], safer["published_verdict"]) == (NOT_TESTED, HELD)
    # 95.9 - 66.4, 0.7 - 10.5 and 0.5 - 3.6
    for value in ("29.50 points", "−9.80 points", "−3.10 points"):
        assert value in safer["published_evidence"]
    even = rows.loc[("mlc_evens_out_languages", "qwen2.5_7b")]
    assert even["published_verdict"] == HELD
    assert rows.loc[("mlc_evens_out_languages", "small"), "published_verdict"] == NOT_TESTED


def test_a_contrast_subtracts_levels_and_takes_their_intervals_as_independent():
    rows = [
        ("small", variant, "dpo", "1", "rtp_lx", "all", "pag", "all", value, value - 0.03, value + 0.04)
        for variant, value in (("english_only", 0.5), ("english_only_mlc", 0.9))
    ]
    columns = ["base", "variant", "method", "seed", "benchmark", "language", "metric", "category", *ENDS]
    metrics = pd.DataFrame(rows, columns=columns).reindex(columns=COLUMNS).assign(style="all")
    row = run(metrics=metrics).loc[("mlc_evens_out_languages", "small")]
    # 0.05 is the hypotenuse of 0.03 and 0.04, so the interval is 0.4 ± 0.05
    assert "0.400 [0.350, 0.450]" in row["evidence"]
    assert row["verdict"] == UNDECIDED  # the variance is missing


def test_a_misspelt_key_is_named(tmp_path):
    path = tmp_path / "claims.yaml"
    path.write_text(
        "- {id: a, sentence: s, source: s, checks: "
        "[{test: level, metrics: [asr], language: all, variants: [x], abov: 1, above: 1}]}",
        encoding="utf-8",
    )
    with pytest.raises(UserError, match=r"abov.*did you mean 'above'"):
        claims.read(path)


BOUND = {"metrics": ["asr"], "above": 0}
RUNS = {"language": "all", "variants": ["balanced"]}


def checked(tmp_path, check, **claim):
    """The claims of a file with one check."""
    path = tmp_path / "claims.yaml"
    text = {"id": "a", "sentence": "s", "source": "s", "checks": [BOUND | check], **claim}
    path.write_text(yaml.safe_dump([text]), encoding="utf-8")
    return claims.read(path)


@pytest.mark.parametrize(
    "check",
    [
        {"test": "level", **RUNS},
        {"test": "difference", "reference": "balanced", **RUNS},
        {"test": "contrast", "reference": "balanced", **RUNS},
        {"test": "between_bases", "reference": "balanced", **RUNS},
        {"test": "transfer", "benchmarks": ["rtp_lx"], "distance": "genetic"},
    ],
)
def test_a_check_has_what_its_test_needs(tmp_path, check):
    assert checked(tmp_path, check)[0]["checks"] == [BOUND | check]
    for key in check.keys() - {"test"}:
        less = {k: v for k, v in check.items() if k != key}
        for claim, place in ({}, "0.checks.0"), ({"published": {"base": "b", "checks": [BOUND | less]}}, "0."):
            with pytest.raises(UserError, match=f"claims.yaml, key {place}.*: the key '{key}' is missing; add it"):
                checked(tmp_path, check if claim else less, **claim)


@pytest.mark.parametrize("key", ["metrics", "benchmarks"])
def test_transfer_has_one_measure_on_one_benchmark(tmp_path, key):
    check = {"test": "transfer", "benchmarks": ["rtp_lx"], "distance": "genetic", key: ["a", "b"]}
    with pytest.raises(UserError, match=f"key 0.checks.0.{key}: .*expected: the one"):
        checked(tmp_path, check)


def test_without_benchmarks_each_that_has_the_measure_counts():
    rows = [
        ("small", "balanced", benchmark, "all", metric, "all", value, value, value)
        for benchmark, metric, value in (("a", "fluency", 4.0), ("b", "fluency", 2.0), ("c", "accuracy", 0.5))
    ]
    columns = ["base", "variant", "benchmark", "language", "metric", "category", *ENDS]
    table = pd.DataFrame(rows, columns=columns).assign(seed="1")

    evidence = claims.Evidence(table, NO_COMPARISONS, ["small"], GROUPS, {}, {}, variant, 0.95, 100, 1)

    def found(**check):
        return [(e.of, e.value) for e in claims.estimates(RUNS | check, "small", table, evidence).values()]

    assert found(metrics=["fluency"]) == [("Balanced a", 4.0), ("Balanced b", 2.0)]
    assert found(metrics=["accuracy"]) == [("Balanced", 0.5)]
    assert found(metrics=["fluency"], benchmarks=["b"]) == [("Balanced", 2.0)]
    [(of, value)] = found(metrics=["asr"])
    assert of == "Balanced" and pd.isna(value)


def test_markdown_has_one_row_per_claim_and_base():
    rows = run().reset_index()
    assert texts.markdown(rows).count("\n| ") == len(rows) + 2
