"""English-only alignment with the consistency loss against balanced alignment: costs, rows and figure."""

import json

import pandas as pd
import pytest

from refuseu.analysis import open_question
from refuseu.artifacts import plots, reached
from refuseu.artifacts.order import runs
from refuseu.artifacts.training import reached_texts

MODELS = {
    "8b": {"base": "8b", "variant": "abliterated", "method": "base", "seed": ""},
    "8b-balanced-s1": {"base": "8b", "variant": "balanced", "method": "dpo", "seed": 1},
    "8b-balanced-s2": {"base": "8b", "variant": "balanced", "method": "dpo", "seed": 2},
    "8b-english_only_mlc-s1": {"base": "8b", "variant": "english_only_mlc", "method": "dpo+mlc", "seed": 1},
}
MLC = "8b-english_only_mlc-s1"
KINDS = {"refuseu_test": "harmful", "rtp_lx": "harmful", "global_mmlu": "knowledge"}


@pytest.fixture
def costs(tmp_path):
    manifests = []
    gpus = {"8b-balanced-s1": 1, "8b-balanced-s2": 1, MLC: 0}
    for n, model in enumerate(list(MODELS)[1:]):
        path = tmp_path / model / "manifest.json"
        path.parent.mkdir()
        path.write_text(
            json.dumps({"pairs": {"pairs": 12, "kept": 10}, "seconds": 1800 * (n + 1), "tokens_seen": 1800 * (n + 1),
                        "reference_tokens": 7 * (model == MLC), "steps": 6, "gpus": gpus[model]}),
            encoding="utf-8",
        )  # fmt: skip
        manifests.append(path)
    pairs = tmp_path / "train.jsonl"
    prompts = {"en": "12345", "de": "123", "pl": "not one of the run's"}
    rows = [{"language": language, "prompt": prompt} for language, prompt in prompts.items()]
    pairs.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return open_question.read_costs(manifests, pairs, MODELS, {MLC: (["en", "de"], ["en", "de", "pl"])})


def test_costs_come_from_manifests_and_prompts(costs):
    assert costs["pairs"].tolist() == [10, 10, 10]
    # two of three languages are not the prompt's own: 5 × 2 + 3 × 2 characters
    assert costs["translated_characters"].tolist() == [0, 0, 16]
    assert costs["gpu_hours"].tolist()[:2] == [0.5, 1]
    assert pd.isna(costs["gpu_hours"].iloc[2])
    assert costs["training_tokens"].tolist() == [1800, 3600, 5407]  # the last with those of the reference


def test_a_row_per_run_and_measure_or_cost_empty_where_nothing_is_known(costs):
    measured = pd.DataFrame(
        [("8b", "balanced", "1", benchmark, "all", "all", "asr", value, value, value, 10)
         for benchmark, value in (("refuseu_test", 0.25), ("rtp_lx", 0.5))],
        columns=["base", "variant", "seed", "benchmark", "category", "language", "metric", "value", "ci_low", "ci_high",
                 "n"],
    )  # fmt: skip
    rows = open_question.reached_and_spent(measured, costs, runs(MODELS), KINDS).set_index(["variant", "metric"])
    assert len(rows) == 3 * (len(open_question.MEASURES) + len(open_question.COSTS))
    assert rows.loc[("balanced", "asr"), "value"] == 0.25
    assert pd.isna(rows.loc[("abliterated", "asr"), "value"])
    assert pd.isna(rows.loc[("abliterated", "pairs"), "value"])
    tokens = rows.loc[("balanced", "training_tokens")]
    assert (tokens["value"], tokens["seeds"]) == (2700, 2)
    texts = dict(zip(rows.index, reached_texts(rows.reset_index()), strict=True))
    assert texts["balanced", "asr"] == "25.00 [25.00, 25.00]"
    assert texts["balanced", "training_tokens"] == "2700 ± 1273"
    assert texts["abliterated", "asr"] == ""
    with plots.style(font_size=7, dpi=50, width_cm=16, column_cm=7.7) as width:
        outcomes, costs = reached.reached(rows.reset_index(), width).axes
        labels = [[label.get_text() for label in ax.get_yticklabels()] for ax in (outcomes, costs)]
        unharmed, _ = reached.reached(rows.reset_index().replace({"value": {0.25: 0.0}}), width).axes
    assert outcomes.get_title(loc="left") == "8b: what it reaches"
    assert labels[0] == ["ASR ↓"]
    written = [
        "Pairs\n(10)",
        "Steps\n(6)",
        "Training tokens\n(5,407)",
        "Translated characters\n(16)",
        "GPU-hours\n(0.75)",
    ]
    assert labels[1] == written
    assert [label.get_text() for label in unharmed.get_yticklabels()] == ["ASR ↓"]  # 0 is measured, too
    dots = [line for line in costs.lines if line.get_marker() == "o"]
    tokens = [line.get_xdata()[0] for line in dots if 1.5 < line.get_ydata()[0] < 2.5]
    assert tokens == pytest.approx([2700 / 54.07, 100])  # in percent of the run that costs most
