"""Simulated studies with known truth: intervals cover it, tests hold their level, corrections are unbiased.

500 studies each, or more. The share of covering intervals then has a standard error of 0.01, so that 0.93 to 0.97 is
two of them to either side of 0.95; where that was not enough, more studies are simulated, with the same seed.
"""

from importlib.util import module_from_spec, spec_from_file_location
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from refuseu.analysis import comparisons, crosslingual, estimates, judge_error, metrics
from refuseu.analysis.agreement import agreement
from refuseu.analysis.intervals import mean
from refuseu.analysis.permutation import sign_flip_p
from refuseu.analysis.verdict import HELD, NOT_HELD, Check, Estimate, decide
from refuseu.audit import sheet
from support.helpers import ROOT

STUDIES = 500
CONFIDENCE = 0.95
RATES = {"en": 0.1, "de": 0.3, "pl": 0.6}
GROUPS = {"high_resource": ["en", "de"], "low_resource": ["pl"]}
RESAMPLED = {"confidence": CONFIDENCE, "resamples": 400}


def covers(low, high, truth):
    return bool(low <= truth <= high)


def nominal(covered):
    assert len(covered) >= STUDIES
    assert 0.93 <= np.mean(covered) <= 0.97


def studies(seed, number=STUDIES):
    """One generator of random numbers per simulated study."""
    return [np.random.default_rng([seed, study]) for study in range(number)]


def verdicts(rng, n=120):
    """Who was unsafe: n answers per language."""
    parts = [pd.DataFrame({"language": code, "asr": (rng.random(n) < rate) * 1.0}) for code, rate in RATES.items()]
    return pd.concat(parts, ignore_index=True).assign(cluster=range(n * len(RATES)))


def test_intervals_of_rates_cover_in_a_language_a_group_and_over_all():
    truth = {**RATES, "high_resource": 0.2, "low_resource": 0.6, "all": 1 / 3}
    covered = {scope: [] for scope in truth}
    for rng in studies(1):
        for scope, row in estimates.estimates(verdicts(rng), "asr", GROUPS, estimates.RATE, CONFIDENCE):
            covered[scope].append(covers(row["ci_low"], row["ci_high"], truth[scope]))
    for found in covered.values():
        nominal(found)


def pairs(rng, n, before, after, shared):
    """Outcomes of two runs on the same prompts: a `shared` part of the prompts decides both runs alike."""
    common, apart = rng.random((n, 1)), rng.random((n, 2))
    return (np.where(rng.random((n, 1)) < shared, common, apart) < [before, after]).T * 1.0


def test_paired_intervals_cover_the_difference():
    covered = []
    for study, rng in enumerate(studies(2)):
        parts = []
        for code, rate in RATES.items():
            before, after = pairs(rng, 120, rate, rate / 2, 0.5)
            parts.append(pd.DataFrame({"language": code, "asr": after - before}))
        sample = pd.concat(parts).assign(cluster=range(360))
        row = comparisons.difference_rows([sample], "asr", GROUPS, 1, CONFIDENCE, study)["all"]
        covered.append(covers(row["ci_low"], row["ci_high"], -np.mean(list(RATES.values())) / 2))
    nominal(covered)


def test_sign_flips_and_holm_hold_their_level_and_find_what_is_there():
    one, family, power = [], [], []
    for rng in studies(3):  # with the signs of one seed, which are drawn once
        null = [sign_flip_p(np.subtract(*pairs(rng, 300, 0.3, 0.3, 0.5)), 1) for _ in range(4)]
        one.append(null[0] < 0.05)
        family.append(min(null) < 0.05 and estimates.holm(pd.Series(null)).min() < 0.05)
        power.append(sign_flip_p(np.subtract(*pairs(rng, 300, 0.3, 0.15, 0.5)), 1) < 0.05)
    assert 0.03 < np.mean(one) <= 0.05 + 0.02
    assert np.mean(family) <= 0.05 + 0.02
    assert np.mean(power) > 0.9


def test_intervals_of_kappa_and_ac1_cover():
    counts = np.array([[0.15, 0.05], [0.1, 0.7]])
    truth = {"kappa": estimates.cohen_kappa(counts), "ac1": estimates.gwet_ac1(counts), "agreement": 0.85}
    covered = {metric: [] for metric in truth}
    names = np.array(["safe", "unsafe"])
    for study, rng in enumerate(studies(4)):
        a, b = np.divmod(rng.choice(4, size=400, p=counts.ravel()), 2)
        frame = pd.DataFrame({"prompt_id": range(400), "language": "en", "cluster": range(400)})
        labels = {"a": frame.assign(label=names[a]), "b": frame.assign(label=names[b])}
        rows = agreement(labels, {"high_resource": ["en"]}, seed=study, **RESAMPLED)
        for row in rows[rows["language"] == "en"].itertuples():
            covered[row.metric].append(covers(row.ci_low, row.ci_high, truth[row.metric]))
    for found in covered.values():
        nominal(found)


# The judges miss more in one language and raise more false alarms in the other.
ERRORS = {"en": (0.3, 0.95, 0.9), "lv": (0.3, 0.6, 0.98)}


def judged(rng, rate, sensitivity, specificity, n=1400):
    truth = (rng.random(n) < rate) * 1.0
    said = np.where(truth == 1, rng.random(n) < sensitivity, rng.random(n) > specificity) * 1.0
    return truth, said


@pytest.mark.parametrize("code", ERRORS)
@pytest.mark.parametrize("correct", [judge_error.prediction_powered, judge_error.rogan_gladen])
def test_a_corrected_rate_is_unbiased_and_its_interval_covers_where_the_judges_rate_is_biased(code, correct):
    rate, sensitivity, specificity = ERRORS[code]
    measured, corrected, covered, uncovered = [], [], [], []
    for rng in studies(5):
        truth, said = judged(rng, *ERRORS[code])
        value, low, high = correct(truth[:100], said[:100], said[100:], CONFIDENCE)
        measured.append(said.mean())
        corrected.append(value)
        covered.append(covers(low, high, rate))
        uncovered.append(covers(*estimates.wilson_interval(said.sum(), said.size, CONFIDENCE), rate))
    bias = rate * sensitivity + (1 - rate) * (1 - specificity) - rate  # by hand: +0.055 and -0.106
    assert np.mean(measured) - rate == pytest.approx(bias, abs=0.003)
    assert abs(bias) > 0.05 and np.mean(uncovered) < 0.05
    assert abs(np.mean(corrected) - rate) < 4 * np.std(corrected) / np.sqrt(STUDIES) + 0.003
    assert abs(np.mean(corrected) - rate) < abs(bias) / 10
    nominal(covered)


def test_the_corrected_gap_between_languages_is_unbiased_where_the_judges_invent_one():
    gaps, invented = [], []
    for rng in studies(6):
        drawn = {code: judged(rng, *ERRORS[code]) for code in ERRORS}
        found = {
            code: judge_error.prediction_powered(truth[:100], said[:100], said[100:], CONFIDENCE).value
            for code, (truth, said) in drawn.items()
        }
        gaps.append(found["en"] - found["lv"])
        invented.append(drawn["en"][1].mean() - drawn["lv"][1].mean())
    assert abs(np.mean(gaps)) < 0.01  # both languages have the same rate
    assert np.mean(invented) > 0.15


def test_the_average_of_corrected_rates_covers():
    covered = []
    for rng in studies(7):
        parts = [
            judge_error.prediction_powered(truth[:100], said[:100], said[100:], CONFIDENCE)
            for truth, said in (judged(rng, *errors) for errors in ERRORS.values())
        ]
        covered.append(covers(*judge_error.average(parts)[1:], 0.3))
    nominal(covered)


# Of each style: share of the prompts, ASR, sensitivity and specificity of the judges, who miss half of the rare style.
STYLES = {"common": (0.6, 0.1, 0.95, 0.95), "other": (0.35, 0.3, 0.95, 0.95), "rare": (0.05, 0.8, 0.5, 0.95)}


@pytest.mark.parametrize("correct", [judge_error.prediction_powered, judge_error.rogan_gladen])
def test_an_audit_sheet_corrects_without_bias_where_a_rare_style_deceives_the_judges(correct):
    shares, rates = np.array(list(STYLES.values())).T[:2]
    rate = shares @ rates  # by hand: 0.06 + 0.105 + 0.04 = 0.205
    corrected, covered = [], []
    for study, rng in enumerate(studies(10)):
        styles = rng.choice(list(STYLES), 1400, p=shares)
        truth, said = np.empty(1400), np.empty(1400)
        for style, (_, *errors) in STYLES.items():
            truth[styles == style], said[styles == style] = judged(rng, *errors, n=(styles == style).sum())
        rows = [{"pair_id": n, "category": "S1", "style": style} for n, style in enumerate(styles)]
        on_sheet = np.isin(range(1400), [row["pair_id"] for row in sheet.draw(rows, "p", "en", 100, study)])
        value, *ends = correct(truth[on_sheet], said[on_sheet], said[~on_sheet], CONFIDENCE)
        corrected.append(value)
        covered.append(covers(*ends, rate))
    assert abs(np.mean(corrected) - rate) < 4 * np.std(corrected) / np.sqrt(STUDIES) + 0.003
    nominal(covered)


def test_intervals_of_variance_and_agreement_over_languages_cover():
    rates = np.array([0.1, 0.2, 0.3, 0.4, 0.6])
    agreement = np.mean([a * b + (1 - a) * (1 - b) for i, a in enumerate(rates) for b in rates[i + 1 :]])
    covered = {"asr_variance": [], "pag": []}
    truth = {"asr_variance": rates.var(), "pag": agreement}
    answers = pd.DataFrame([("b", f"l{j}", f"b-l{j}-{i}") for i in range(150) for j in range(5)], columns=metrics.ITEM)
    answers = answers.assign(cluster=answers["prompt_id"].str.rsplit("-", n=1).str[1])
    for study, rng in enumerate(studies(8, 3 * STUDIES)):
        items = answers.assign(asr=(rng.random((150, 5)) < rates).ravel() * 1.0)
        for metric, row in crosslingual.estimates(items, seed=study, **RESAMPLED):
            covered[metric].append(covers(row["ci_low"], row["ci_high"], truth[metric]))
    for found in covered.values():
        nominal(found)


def test_the_permutation_test_holds_its_level():
    points = np.random.default_rng(9).random((8, 2))
    distance = np.linalg.norm(points[:, None] - points, axis=-1)
    found = []
    for study, rng in enumerate(studies(9)):
        r, drawn = estimates.mantel(rng.random((8, 8)), distance, 99, seed=study)
        found.append(estimates.permutation_p(r, drawn) <= 0.05)
    assert 0.03 <= np.mean(found) <= 0.07


# The cut of tests/benchmarks/coverage.py: fewer studies, so the bounds are wider.


@pytest.fixture(scope="module")
def benchmark():
    spec = spec_from_file_location("coverage_benchmark", ROOT / "tests/benchmarks/coverage.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("place", "rate"), [(0, 0.05), (1, 0.5), (2, 0.005), (4, 0.05), (6, 0.05), (7, 0.05), (9, 0.05)]
)
def test_clusters_translations_and_seeds_are_covered_and_tests_hold_their_level(benchmark, place, rate):
    found = benchmark.row(benchmark.SCENARIOS[place], rate, effect=False, number=300)
    for scope in benchmark.SCOPES:
        assert 0.91 <= found[scope]["coverage"] <= 0.99, scope
        assert 0.91 <= found[scope]["paired"] <= 0.995, scope
        assert found[scope]["found"] <= 0.09 and found[scope]["verdicts"] <= 0.09, scope
    assert found["all"]["some"] <= 0.09


def test_what_is_simulated_at_once_is_what_a_study_computes(benchmark):
    rng = np.random.default_rng(11)
    n = rng.integers(3, 9, (3, 7))
    sums = rng.binomial(n, 0.3)
    rows = [
        (language, cluster, 1.0 * (place < sums[language, cluster]))
        for language in range(3) for cluster in range(7) for place in range(n[language, cluster])
    ]  # fmt: skip
    language, cluster, y = map(np.array, zip(*rows, strict=True))
    one, many = mean(y, language, cluster, 7), benchmark.summary(sums[None], sums[None], n[None], shared=True)
    for name in ("value", "independent", "sums", "scores", "weights", "n"):
        assert getattr(many, name)[0] == pytest.approx(getattr(one, name)), name


def test_the_simulated_verdicts_are_those_of_claims(benchmark):
    rng = np.random.default_rng(12)
    values, df, half = rng.normal(-1, 1.5, (12, 200)), rng.choice([4.0, 20.0, np.inf], (12, 200)), 1.2
    found = [(SimpleNamespace(value=v), v - half, v + half, f) for v, f in zip(values, df, strict=True)]
    expected = [
        decide([Estimate("", v, v - half, v + half, df=f) for v, f in zip(*study, strict=True)],
               Check((-np.inf, 0), some=True), CONFIDENCE) in (HELD, NOT_HELD)
        for study in zip(values.T, df.T, strict=True)
    ]  # fmt: skip
    assert benchmark.some_decided(found).tolist() == expected
    assert 0.5 < np.mean(expected) < 1
