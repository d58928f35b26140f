"""Measures against hand-computed values and against sklearn and statsmodels."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.proportion import proportion_confint

from refuseu.analysis import estimates, metrics
from refuseu.analysis.agreement import agreement
from refuseu.analysis.cells import cells
from refuseu.analysis.comparisons import compare
from refuseu.analysis.runs import contrasts

GROUPS = {"high_resource": ["en", "de"], "low_resource": ["pl"]}
STATISTICS = {"confidence": 0.95, "resamples": 400, "seed": 1}
LABELS = {"model": "b-v-s1", "base": "b", "variant": "v", "method": "dpo", "seed": 1}


def write(path, records):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return str(path)


def harmful(tmp_path, verdicts, model="b-v-s1", outcomes=None):
    """Items of one benchmark from {language: [verdict, ...]}; outcomes are refusals unless given."""
    rows = [(code, i, label) for code, labels in verdicts.items() for i, label in enumerate(labels)]
    outcomes = outcomes or ["refusal"] * len(rows)
    answers = [
        {"prompt_id": f"{code}-{i}", "language": code, "category": f"S{i + 9}", "style": "", "cluster": f"{code}-{i}",
         "outcome": outcome,
         "detected": code if outcome != "wrong_language" else "xx",
         "verdict": label, "decided_by": "agreement" if i else "adjudicator"}
        for (code, i, label), outcome in zip(rows, outcomes, strict=True)
    ]  # fmt: skip
    return metrics.read_items(write(tmp_path / model / "refuseu_test.jsonl", answers))


def value(rows, metric, language, category="all", column="value"):
    found = rows[(rows["metric"] == metric) & (rows["language"] == language) & (rows["category"] == category)]
    assert len(found) == 1
    return found[column].iloc[0]


def test_rates_count_every_answer_that_has_a_verdict_and_groups_average_languages(tmp_path):
    verdicts = {"en": ["unsafe", "safe", "unparsed", "safe"], "de": ["unsafe"] * 2, "pl": ["safe"] * 4}
    rows = metrics.measure(LABELS, harmful(tmp_path, verdicts), GROUPS, **STATISTICS)
    assert value(rows, "asr", "en") == 1 / 3  # nothing is known of the unparsed one
    assert value(rows, "unparsed_rate", "en") == 1 / 4
    assert value(rows, "asr", "high_resource") == pytest.approx((1 / 3 + 1) / 2)
    assert value(rows, "asr", "all") == pytest.approx((1 / 3 + 1 + 0) / 3)
    assert value(rows, "asr", "all", column="n") == 9
    assert value(rows, "disagreement_rate", "de") == 1 / 2
    assert list(rows.columns) == metrics.COLUMNS


def as_language(rows, metric, category="all", column="value"):
    found = rows[(rows["metric"] == metric) & (rows["category"] == category) & (rows["style"] == "all")]
    return found.set_index("language")[column].to_dict()


@pytest.mark.parametrize("unknown", ["unparsed", "cut"])
def test_a_language_of_which_nothing_is_known_leaves_no_average_over_it(tmp_path, unknown):
    verdicts = {"en": ["unsafe", "safe"], "de": [unknown] * 2, "pl": ["safe", "safe"]}
    outcomes = ["refusal" if verdict != "cut" else "cut" for own in verdicts.values() for verdict in own]
    rows = metrics.measure(LABELS, harmful(tmp_path, verdicts, outcomes=outcomes), GROUPS, **STATISTICS)
    nothing = np.nan
    for metric in ("asr", "true_refusal_share"):
        found = as_language(rows, metric)
        rate = {"asr": (1 / 2, 0), "true_refusal_share": (1, 1)}[metric]
        known = {"en": rate[0], "pl": rate[1], "low_resource": rate[1]}
        lost = dict.fromkeys(("de", "high_resource", "all"), nothing)
        assert found == pytest.approx(known | lost, nan_ok=True)
    counts = as_language(rows, "asr", column="n")
    assert counts == {"en": 2, "de": 0, "pl": 2, "high_resource": 2, "low_resource": 2, "all": 4}
    empty = rows[rows["value"].isna()].drop(columns=[*LABELS, "benchmark", "language", "category", "style", "metric"])
    assert empty.drop(columns=["n", "clusters"]).isna().all(axis=None) and empty["n"].notna().all()
    # of a category, too, and the language that it lacks is named
    assert as_language(rows, "asr", category="S9") == pytest.approx({"de": nothing, "all": nothing}, nan_ok=True)
    shares = {metric: as_language(rows, metric)["all"] for metric in ("unparsed_rate", "cut_rate")}
    assert shares == pytest.approx(
        {"unparsed_rate": 1 / 3 if unknown == "unparsed" else nothing, "cut_rate": 1 / 3 if unknown == "cut" else 0},
        nan_ok=True,
    )


def test_where_every_verdict_is_unparsed_there_is_no_rate_but_a_row_for_it(tmp_path):
    rows = metrics.measure(LABELS, harmful(tmp_path, {"en": ["unparsed"], "pl": ["unparsed"]}), GROUPS, **STATISTICS)
    assert rows.loc[rows["metric"] == "asr", "value"].isna().all() and value(rows, "asr", "all", column="n") == 0


def test_a_language_without_safe_answers_has_no_share_of_refusals_and_takes_none_from_the_others(tmp_path):
    verdicts = {"en": ["unsafe", "unsafe"], "pl": ["safe", "unsafe"]}
    rows = metrics.measure(LABELS, harmful(tmp_path, verdicts), GROUPS, **STATISTICS)
    assert as_language(rows, "true_refusal_share") == {"pl": 1, "low_resource": 1, "all": 1}


def test_over_seeds_refusals_among_safe_answers_average_the_languages_where_every_seed_has_some(tmp_path):
    models = {f"m{seed}": LABELS | {"model": f"m{seed}", "seed": seed} for seed in (1, 2)}
    verdicts = {"m1": {"en": ["unsafe"] * 2, "pl": ["safe"] * 2}, "m2": {"en": ["safe"] * 2, "pl": ["safe"] * 2}}
    said = {"m1": ["compliance"] * 2 + ["refusal", "empty"], "m2": ["empty"] * 2 + ["refusal"] * 2}
    runs = {model: harmful(tmp_path, own, model, said[model]) for model, own in verdicts.items()}
    rows = metrics.measure_over_seeds(runs, models, GROUPS, 0.95)
    assert as_language(rows, "true_refusal_share") == {"pl": 3 / 4, "low_resource": 3 / 4, "all": 3 / 4}
    assert as_language(rows, "true_refusal_share", category="S10") == {"all": 1 / 2}


@pytest.mark.parametrize("unknown", ["unparsed", "cut"])
def test_what_is_not_known_beside_unsafe_answers_makes_none_of_them_safe(tmp_path, unknown):
    verdicts = {"en": ["unsafe", "unsafe", unknown], "pl": ["safe", "unsafe", "safe"]}
    outcomes = ["cut" if verdict == "cut" else "refusal" for own in verdicts.values() for verdict in own]
    rows = metrics.measure(LABELS, harmful(tmp_path, verdicts, outcomes=outcomes), GROUPS, **STATISTICS)
    assert as_language(rows, "true_refusal_share") == {"pl": 1, "low_resource": 1, "all": 1}
    lost = as_language(rows, "true_refusal_share", category="S11")  # there nothing is known of English
    assert lost == pytest.approx({"en": np.nan, "all": np.nan}, nan_ok=True)


def test_a_language_without_any_rating_leaves_no_average_over_it():
    rated = []
    for code, scores in (("en", [5, 3]), ("pl", [None, None])):
        rows = known(2, detected=[code] * 2, outcome=["compliance"] * 2, fluency=scores, correctness=scores)
        rated += [row | {"language": code, "prompt_id": f"{code}-{row['prompt_id']}"} for row in rows]
    rows = metrics.measure(LABELS, metrics.items(rated, "fluency"), GROUPS, **STATISTICS)
    found = as_language(rows, "fluency")
    assert found == pytest.approx(
        {"en": 4, "high_resource": 4} | dict.fromkeys(("pl", "low_resource", "all"), np.nan), nan_ok=True
    )


def test_a_seed_without_a_language_is_not_made_up_for_by_the_others(tmp_path):
    models = {f"m{seed}": LABELS | {"model": f"m{seed}", "seed": seed} for seed in (1, 2)}
    models["b"] = LABELS | {"model": "b", "variant": "abliterated", "method": "base", "seed": ""}
    verdicts = {model: {"en": ["unsafe", "safe"], "pl": ["safe", "unsafe"]} for model in models}
    verdicts["m2"]["pl"] = ["unparsed"] * 2
    runs = {model: harmful(tmp_path, own, model) for model, own in verdicts.items()}
    whole = metrics.measure_over_seeds({model: runs[model] for model in ("m1", "m2")}, models, GROUPS, 0.95)
    lost = dict.fromkeys(("pl", "low_resource", "all"), np.nan)
    assert as_language(whole, "asr") == pytest.approx({"en": 0.5, "high_resource": 0.5} | lost, nan_ok=True)
    compared = compare(runs, models, GROUPS, **STATISTICS)
    compared = compared[compared["metric"] == "asr"].set_index(["seed", "language"])
    for seed in (2, metrics.ALL_SEEDS):
        rows = compared.loc[seed]
        assert rows["value"].to_dict() == pytest.approx({"en": 0, "high_resource": 0} | lost, nan_ok=True)
        assert rows.loc[[*lost], ["ci_low", "ci_high", "power", "p", "p_holm"]].isna().all(axis=None)
    assert compared.loc[1, "value"].notna().all()
    # what tables show of several seeds, with and without a row over all of them
    parts = [metrics.measure(models[model], runs[model], GROUPS, **STATISTICS) for model in ("m1", "m2")]
    for frame in (pd.concat([*parts, whole]), pd.concat(parts)):
        shown = cells(frame.astype({"seed": str}), [("b", "v")], GROUPS, metric="asr").set_index("language")
        assert shown.loc["en", ["value", "spread"]].tolist() == [0.5, 0]
        assert shown.loc[[*lost], ["value", "ci_low", "spread"]].isna().all(axis=None)


def test_interval_of_one_language_is_wilsons(tmp_path):
    verdicts = {"en": ["unsafe"] * 3 + ["safe"] * 7}
    rows = metrics.measure(LABELS, harmful(tmp_path, verdicts), GROUPS, **STATISTICS)
    expected = proportion_confint(3, 10, method="wilson")
    assert (
        value(rows, "asr", "en", column="ci_low"),
        value(rows, "asr", "en", column="ci_high"),
    ) == pytest.approx(expected)


def test_true_refusals_are_a_share_of_safe_answers_only(tmp_path):
    verdicts = {"en": ["safe", "safe", "safe", "unsafe"]}
    outcomes = ["refusal", "empty", "wrong_language", "refusal"]
    rows = metrics.measure(LABELS, harmful(tmp_path, verdicts, outcomes=outcomes), GROUPS, **STATISTICS)
    assert value(rows, "true_refusal_share", "en") == pytest.approx(1 / 3)
    assert value(rows, "true_refusal_share", "en", column="n") == 3
    assert value(rows, "refusal_rate", "en") == 2 / 4
    assert value(rows, "language_consistency", "en") == 3 / 4


def test_categories_in_natural_order_over_all_languages_only(tmp_path):
    verdicts = {"en": ["unsafe", "safe"], "pl": ["safe", "safe"]}
    rows = metrics.measure(LABELS, harmful(tmp_path, verdicts), GROUPS, **STATISTICS)
    parts = rows[(rows["metric"] == "asr") & (rows["category"] != "all")]
    assert list(parts["category"]) == ["S9", "S10"]
    assert set(parts["language"]) == {"all"}
    assert value(rows, "asr", "all", category="S9") == 1 / 2


def known(count=1, **columns):
    """Records of answers in English, as `refuseu.evaluation.description` joins them."""
    return [
        {"prompt_id": str(i), "language": "en", "category": "", "style": "", "cluster": str(i)}
        | {name: values[i] for name, values in columns.items()}
        for i in range(count)
    ]


def test_benign_fluency_and_knowledge(tmp_path):
    benign = known(3, detected=["en"] * 3, outcome=["compliance", "refusal", "compliance"])
    benign[2] |= {"language": "pl", "detected": "pl"}
    asked = known(
        4, detected=["en"] * 4, outcome=["compliance"] * 4, fluency=[5, 4, None, 3], correctness=[4, None, None, 4]
    )
    files = {"benign": benign, "fluency": asked, "global_mmlu": known(4, correct=[True, False, False, False])}
    parts = [metrics.read_items(write(tmp_path / f"{name}.jsonl", rows)) for name, rows in files.items()]
    rows = pd.concat(metrics.measure(LABELS, items, GROUPS, **STATISTICS) for items in parts)
    assert list(rows["benchmark"].unique()) == list(files)
    assert value(rows, "over_refusal_rate", "en") == 1 / 2
    assert value(rows, "answered_rate", "all") == pytest.approx((1 / 2 + 1) / 2)
    assert "over_refusal_rate" not in set(rows.loc[rows["benchmark"] == "fluency", "metric"])
    assert value(rows, "fluency", "en") == 4
    assert value(rows, "judged_share", "en") == 2 / 4
    assert value(rows, "accuracy", "en") == 1 / 4
    assert "asr" not in set(rows["metric"])


def test_a_model_without_answers_has_no_rows(tmp_path):
    rows = metrics.measure(LABELS, metrics.read_items(write(tmp_path / "benign.jsonl", [])), GROUPS, **STATISTICS)
    assert rows.empty and list(rows.columns) == metrics.COLUMNS


def test_nothing_to_compare_is_an_empty_table_with_its_columns(tmp_path):
    rows = compare({}, {}, GROUPS, **STATISTICS)
    assert rows.empty and {"reference", "p", "p_holm"} <= set(rows)
    metrics.write_csv(tmp_path / "a.csv", rows)
    assert list(metrics.join_csv([tmp_path / "a.csv"])) == list(rows)


@pytest.mark.parametrize(
    ("constant", "bounds", "expected"), [(0, (0, 1), (0, 0.25)), (1, (0, 1), (0.75, 1)), (5, (1, 5), (4, 5))]
)
def test_an_interval_never_has_no_width(constant, bounds, expected):
    n = 3 * 3.8414588  # of which Wilson's bound on the unseen is a quarter: z² / (n + z²)
    sample = pd.DataFrame({"language": ["en", "de", "pl"] * 4, "m": [constant] * 12, "cluster": range(12)})
    *_, (scope, row) = estimates.estimates(sample, "m", GROUPS, bounds, 0.95)
    assert scope == "all"
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(expected, abs=0.03 * np.ptp(bounds)) and 11 < n < 12


def test_comparison_is_paired_and_only_within_a_base(tmp_path):
    models = {
        "a": {"model": "a", "base": "a", "variant": "abliterated", "method": "base", "seed": ""},
        "a-balanced-s1": {
            "model": "a-balanced-s1",
            "base": "a",
            "variant": "balanced",
            "method": "dpo",
            "seed": 1,
        },
        "a-english_only-s2": {
            "model": "x",
            "base": "a",
            "variant": "english_only",
            "method": "dpo",
            "seed": 2,
        },
        "b": {"model": "b", "base": "b", "variant": "abliterated", "method": "base", "seed": ""},
    }
    assert list(contrasts(models)) == [("a-balanced-s1", "a"), ("a-english_only-s2", "a")]
    before, after = {"en": ["unsafe"] * 6 + ["safe"] * 4}, {"en": ["safe"] * 5 + ["unsafe"] + ["safe"] * 4}
    runs = {
        "a": harmful(tmp_path, before, "a"),
        "a-balanced-s1": harmful(tmp_path, after, "a-balanced-s1"),
    }
    rows = compare(runs, models, GROUPS, **STATISTICS)
    row = rows[(rows["metric"] == "asr") & (rows["language"] == "en")].iloc[0]
    assert (row["variant"], row["reference"], row["n"]) == ("balanced", "abliterated", 10)
    assert row["value"] == pytest.approx(-0.5)
    assert row["p"] == pytest.approx(0.5**5)  # mid-p: half of the exact two-sided 2 * 0.5**5
    assert (row["clusters"], row["discordant"]) == (10, 5)
    assert row["p_holm"] >= row["p"]


def test_holm_corrects_over_all_runs_of_a_base_and_not_over_other_bases_and_measures(tmp_path):
    models = {
        name: {"model": name, "base": name[0], "variant": variant, "method": method, "seed": seed}
        for name, variant, method, seed in (
            ("a", "abliterated", "base", ""), ("a-x", "balanced", "dpo", 1), ("a-y", "english_only", "dpo", 1),
            ("b", "abliterated", "base", ""), ("b-x", "balanced", "dpo", 1),
        )
    }  # fmt: skip
    unsafe = {
        "a": {"en": 20, "de": 20}, "a-x": {"en": 14, "de": 18}, "a-y": {"en": 12, "de": 10},
        "b": {"en": 20, "de": 20}, "b-x": {"en": 15, "de": 19},
    }  # fmt: skip
    runs = {
        name: harmful(tmp_path, {code: ["unsafe"] * n + ["safe"] * (20 - n) for code, n in many.items()}, name)
        for name, many in unsafe.items()
    }
    rows = compare(runs, models, GROUPS, **STATISTICS)
    asr = rows[(rows["metric"] == "asr") & (rows["reference"] == "abliterated")]
    assert set(asr["model"]) == {"a-x", "a-y", "b-x"}
    for base, size in (("a", 2), ("b", 1)):
        family = asr[asr["base"] == base]
        assert len(family) == size * 4  # two languages, their group and all
        ascending = family.sort_values("p")
        steps = [min(1, p * (len(family) - i)) for i, p in enumerate(ascending["p"])]
        assert ascending["p_holm"].tolist() == pytest.approx(np.maximum.accumulate(steps).tolist())
    assert asr.loc[asr["model"] == "a-x", "p"].tolist() == pytest.approx([1 / 2**6, 1 / 2**2, 1 / 2**8, 1 / 2**8])


def test_holm():
    corrected = estimates.holm(pd.Series([0.01, np.nan, 0.04, 0.03]))
    assert corrected.tolist() == pytest.approx([0.03, np.nan, 0.06, 0.06], nan_ok=True)


def test_kappa_equals_sklearns_and_ac1_the_hand_computed_value():
    rng = np.random.default_rng(3)
    a = rng.choice(["safe", "unsafe"], 200, p=[0.2, 0.8])
    b = np.where(rng.random(200) < 0.85, a, "unsafe")
    counts = estimates.confusion(a, b)
    assert estimates.cohen_kappa(counts) == pytest.approx(cohen_kappa_score(a, b))
    # 118 of 125 agree, margins 120 and 123 unsafe (after Gwet 2008, Table 2): pi = 243/250.
    counts = np.array([[1, 1], [4, 119]])
    pi = (5 + 2) / 250
    expected = (120 / 125 - 2 * pi * (1 - pi)) / (1 - 2 * pi * (1 - pi))
    assert estimates.gwet_ac1(counts) == pytest.approx(expected)


def test_kappa_is_undefined_where_all_labels_are_equal():
    counts = estimates.confusion(["unsafe"] * 5, ["unsafe"] * 5)
    assert np.isnan(estimates.cohen_kappa(counts))
    assert estimates.gwet_ac1(counts) == 1


def test_agreement_leaves_unparsed_labels_out_and_counts_them():
    ids = [str(i) for i in range(5)]
    frame = pd.DataFrame({"prompt_id": ids, "language": "en", "cluster": ids})
    labels = {
        "a": frame.assign(label=["safe", "unsafe", "unsafe", "unparsed", "safe"]),
        "b": frame.assign(label=["safe", "unsafe", "safe", "safe", "safe"]),
    }
    rows = agreement(labels, GROUPS, **STATISTICS).set_index("metric")
    assert rows.loc["agreement", "value"] == 3 / 4
    assert rows.loc["kappa", "value"] == pytest.approx(0.5)
    assert (rows.loc["kappa", "n"], rows.loc["kappa", "unparsed"]) == (4, 1)
    assert rows.loc["kappa", "ci_low"] <= 0.5 <= rows.loc["kappa", "ci_high"]
    labels["a"] = labels["a"].assign(label="unparsed")
    rows = agreement(labels, GROUPS, **STATISTICS).set_index("metric")
    assert rows["value"].isna().all() and rows[["n", "unparsed"]].drop_duplicates().values.tolist() == [[0, 5]]


def test_pilot_calls_unsafe_what_all_guards_call_unsafe(tmp_path):
    prompts = [{"prompt_id": str(i), "language": "en", "detected": "en" if i else "de"} for i in range(4)]
    labels = {"a": ["unsafe", "unsafe", "safe", "unsafe"], "b": ["unsafe", "unsafe", "unsafe", "unparsed"]}
    # Both answer the same requests; the other writes harmless prompts. Of the last prompt not all guards say something.
    writers = {"writer": 2 / 3, "other": 0.0}
    files = []
    for judge, votes in labels.items():
        rows = [{**p, "generator": "writer", "label": vote} for p, vote in zip(prompts, votes, strict=True)]
        rows += [{**p, "generator": "other", "label": "safe"} for p in prompts]
        files.append(write(tmp_path / f"{judge}.jsonl", rows))
    generated = [write(tmp_path / f"{writer}.jsonl", prompts) for writer in writers]
    rows = metrics.pilot(generated, files, GROUPS, 0.95)
    rows = rows[rows["language"] == "en"].set_index(["generator", "metric"])["value"]
    for writer, unsafe in writers.items():
        assert rows[writer, "language_consistency"] == 3 / 4
        assert rows[writer, "unsafe_rate"] == unsafe
    assert (rows["writer", "unparsed_rate"], rows["other", "unparsed_rate"]) == (1 / 4, 0)


def test_mantel_finds_a_planted_correlation_and_no_other():
    points = np.arange(8.0)
    distance = np.abs(points[:, None] - points)
    r, drawn = estimates.mantel(distance * 2 + 1, distance, 200, seed=1)
    assert r == pytest.approx(1)
    assert estimates.permutation_p(r, drawn) < 0.02
    r, drawn = estimates.mantel(np.random.default_rng(0).random((8, 8)), distance, 200, seed=1)
    assert estimates.permutation_p(r, drawn) > 0.05


def test_each_guard_alone_gives_an_asr_of_its_own(tmp_path):
    labels = [{"a": "unsafe", "b": "unsafe"}, {"a": "unsafe", "b": "safe", "c": "safe"}, {"a": "safe", "b": "safe"}]
    decided = ["agreement", "c", "agreement"]
    verdict = ["unsafe", "safe", "safe"]
    rows = [
        {"prompt_id": str(i), "language": "en", "category": "", "style": "", "cluster": str(i),
         "detected": "en", "outcome": "refusal", "verdict": verdict[i], "decided_by": decided[i], "labels": labels[i]}
        for i in range(3)
    ]  # fmt: skip
    items = metrics.read_items(write(tmp_path / "refuseu_test.jsonl", rows))
    assert items[["asr_a", "asr_b"]].mean().tolist() == pytest.approx([2 / 3, 1 / 3])
    assert "asr_c" not in items


def test_an_answer_that_is_nothing_but_reasoning_is_in_no_asr_and_is_counted():
    rows = [
        {"prompt_id": str(n), "language": "en", "category": "", "detected": "en", "outcome": kind, "verdict": verdict,
         "decided_by": "agreement", "labels": {"a": verdict}}
        for n, (kind, verdict) in enumerate([("compliance", "unsafe"), ("refusal", "safe"), *[("cut", "cut")] * 2])
    ]  # fmt: skip
    found = metrics.items(rows, "b")
    assert found["asr"].mean() == found["asr_a"].mean() == 0.5  # of two, not of four
    assert found["cut_rate"].mean() == 0.5
    assert found["true_refusal_share"].count() == 1


def test_where_guard_and_markers_differ_is_a_share_of_what_both_speak_of():
    rows = [
        {"prompt_id": str(n), "language": "en", "category": "", "detected": "en", "outcome": "refusal", **said}
        for n, said in enumerate([{"stated": True, "marked": False}, {"stated": True, "marked": True}, {}])
    ]
    found = metrics.items(rows, "b")["refusal_disagreement_rate"]
    assert found.to_list()[:2] == [1.0, 0.0] and found.isna().to_list() == [False, False, True]


def test_an_answer_of_which_only_reasoning_is_there_is_neither_fluent_nor_not():
    rows = [
        {"prompt_id": f"f-{n}", "language": "en", "category": "", "style": "", "slot": "", "cluster": str(n),
         "detected": "en", "outcome": kind, "fluency": score, "correctness": score}
        for n, (kind, score) in enumerate((("compliance", 5), ("compliance", 4), ("cut", 1)))
    ]  # fmt: skip
    found = metrics.items(rows, "fluency")
    assert found[["fluency", "correctness"]].mean().tolist() == [4.5, 4.5]
    assert found["judged_share"].mean() == pytest.approx(2 / 3)


def test_an_average_alone_comes_with_what_it_lacks_and_not_with_languages_that_it_does_not_average():
    rows = [("en", 1.0), ("pl", np.nan), ("hr", np.nan)]
    sample = pd.DataFrame(rows, columns=["language", "asr"]).assign(cluster=["a", "b", "c"])
    names, found = estimates.means(sample, "asr", {"high": ["en"], "low": ["pl"]}, "all")
    assert sorted(names) == ["all", "pl"] and np.isnan(found.value).all()
