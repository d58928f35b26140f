"""Where the uncertainty of a headline number comes from, by hand."""

import pandas as pd
import pytest

from refuseu.analysis.metrics import ALL_SEEDS
from refuseu.analysis.open_question import MEASURES
from refuseu.analysis.variance import variance_parts

KINDS = {"refuseu_test": "harmful", "benign": "benign", "rtp_lx": "harmful"}
NAN = float("nan")


def row(metric, variant, seed, prompts, slots, seeds=NAN, benchmark="refuseu_test", language="all"):
    return {
        "base": "8b", "variant": variant, "seed": seed, "benchmark": benchmark, "metric": metric, "language": language,
        "category": "all", "style": "all", "var_prompts": prompts, "var_slots": slots, "var_seeds": seeds,
    }  # fmt: skip


def test_the_error_and_each_parts_share_of_its_square():
    metrics = pd.DataFrame([
        row("asr", "one", "1", 3e-4, 1e-4),
        row("asr", "one", "1", 9, 9, benchmark="rtp_lx"),
        row("asr", "one", "1", 9, 9, language="pl"),
        row("asr", "three", "1", 9, 9),
        row("asr", "three", ALL_SEEDS, 2e-4, 1e-4, 6e-4),
        row("over_refusal_rate", "three", ALL_SEEDS, 3e-4, 1e-4, -1e-4, benchmark="benign"),
        row("over_refusal_rate", "one", "1", 0.0, 0.0, benchmark="benign"),
    ])  # fmt: skip
    found = variance_parts(metrics, [("8b", "one"), ("8b", "three")], KINDS)
    assert len(found) == len(MEASURES) * 2 * 4
    shares = found.set_index(["metric", "variant", "part"])["value"].sort_index()
    parts = ["error", "prompts", "slots", "seeds"]
    for (metric, variant), expected in {
        ("asr", "one"): [0.02, 0.75, 0.25, NAN],
        ("asr", "three"): [0.03, 2 / 9, 1 / 9, 6 / 9],
        ("over_refusal_rate", "three"): [0.02, 0.75, 0.25, 0],  # below 0 by chance
        ("over_refusal_rate", "one"): [0, NAN, NAN, NAN],
        ("accuracy", "one"): [NAN] * 4,  # not measured
    }.items():
        assert shares[metric, variant][parts].tolist() == pytest.approx(expected, nan_ok=True), (metric, variant)
