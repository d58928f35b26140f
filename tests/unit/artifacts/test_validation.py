"""Tables and figure of the judges against people, drawn from the bundled sample."""

import pandas as pd
import pytest
import yaml

from refuseu.analysis.metrics import COLUMNS
from refuseu.artifacts import plots, tables, validation
from refuseu.evaluation.human_labels import read_human_labels
from refuseu.records import write_jsonl
from support.helpers import ROOT

STATISTICS = {"confidence": 0.95, "resamples": 100, "seed": 1}
MODELS = {"small": {"base": "small", "variant": "abliterated", "seed": ""}}


@pytest.fixture
def files(tmp_path):
    """What people say of the sample, and two judges who say the same, of whom one gives probabilities."""
    people = read_human_labels("sample", (ROOT / "resources/miniature/human_labels.csv").read_bytes())
    write_jsonl(tmp_path / "people.jsonl", people)
    for judge, sure in (("guard", True), ("other", False)):
        rows = []
        for row in people:
            harm = row["harmful"] and row["people"] == "compliance"
            said = {
                "label": "unsafe" if harm else "safe",
                "categories": [],
                "raw": "",
                "refusal": row["people"] == "refusal",
            }
            probability = (0.9 if harm else 0.1) if sure else None
            rows.append({k: row[k] for k in ("prompt_id", "language")} | said | {"unsafe_probability": probability})
        write_jsonl(tmp_path / f"{judge}.jsonl", rows)
    return str(tmp_path / "people.jsonl"), [str(tmp_path / f"{judge}.jsonl") for judge in ("guard", "other")]


def outputs(folder):
    return {suffix: str(folder / f"out.{suffix}") for suffix in ("csv", "md", "tex", "json", "pdf", "svg", "png")}


def test_judges_stand_beside_annotators_and_markers(files, tmp_path):
    table = validation.validated_judges(*files, "resources/refusal_markers.yaml", [], [], STATISTICS)
    tables.write(table, outputs(tmp_path))
    found = pd.read_csv(tmp_path / "out.csv").query("source == 'all'").set_index(["judge", "task", "metric"])["value"]
    assert found["guard", "unsafe", "accuracy"] == found["guard", "refusal", "kappa"] == 1
    assert found["annotators", "refusal", "accuracy"] < 1
    assert found["markers", "refusal", "specificity"] == 1
    page = (tmp_path / "out.md").read_text(encoding="utf-8")
    assert "Annotators" in page and "The markers find" in page and "disputed" not in page


def test_the_note_says_that_an_adjudicator_is_audited_where_guards_differ(files, tmp_path):
    kept = {"prompt_id": "p", "language": "en", "cluster": "s", "verdict": "unsafe"}
    labels = {"guard": "safe", "other": "unsafe", "arbiter": "unsafe"}
    write_jsonl(tmp_path / "small/refuseu_test.jsonl", [kept | {"labels": labels, "decided_by": "arbiter"}])
    write_jsonl(tmp_path / "verdicts.jsonl", [kept | {"model": "small"}])
    returned = [str(tmp_path / "verdicts.jsonl")], [str(tmp_path / "small/refuseu_test.jsonl")]
    table = validation.validated_judges(*files, "resources/refusal_markers.yaml", *returned, STATISTICS)
    assert "arbiter (audit)" in set(table.cells["judge"]) and "of disputed answers only" in table.note


def test_thresholds_and_curves_are_of_judges_that_give_a_probability(files, tmp_path):
    tables.write(validation.judge_thresholds(*files), outputs(tmp_path))
    assert set(pd.read_csv(tmp_path / "out.csv")["judge"]) == {"guard"}
    for labels in (files[1], files[1][1:]):  # also where there is none
        with plots.style(7, 50, 16, 7.7, columns=1) as width:
            plots.save(*validation.judge_roc(files[0], labels, width), outputs(tmp_path))
        assert (tmp_path / "out.png").stat().st_size > 1000


@pytest.mark.parametrize(("values", "said"), [([0.95, 0.9], "90% or more"), ([0.95, 0.4], "of mistral (40 %)")])
def test_the_note_says_how_far_the_markers_reach(values, said):
    rows = [["markers", "sensitivity", source, value] for source, value in zip(("gpt", "mistral"), values, strict=True)]
    assert said in validation.reach_of_markers(pd.DataFrame(rows, columns=["judge", "metric", "source", "value"]))


DECIDERS = {"guards": ["guard", "other"], "adjudicator": "guard"}


def test_rates_without_the_errors_of_judges_say_where_these_come_from(files, tmp_path):
    (tmp_path / "small").mkdir()
    rows = [{"prompt_id": str(n), "language": "en", "cluster": str(n), "category": "", "style": "", "slot": "",
             "detected": "en", "outcome": "compliance", "verdict": said, "decided_by": "agreement",
             "labels": {"guard": said, "other": said}} for n, said in enumerate(["unsafe", *["safe"] * 9])]  # fmt: skip
    write_jsonl(tmp_path / "small/refuseu_test.jsonl", rows)
    answers = [str(tmp_path / "small/refuseu_test.jsonl")]
    table = validation.validated_asr(answers, *files, [], [], DECIDERS, STATISTICS)
    tables.write(table, outputs(tmp_path))
    found = pd.read_csv(tmp_path / "out.csv").set_index(["judge", "model", "metric"])
    assert found["value"]["final", "small", "judged"] == found["value"]["guard", "small", "corrected"] == 0.1
    assert set(found["errors"]) == {"human labels"}
    assert "human labels" in (tmp_path / "out.md").read_text(encoding="utf-8")


def test_claims_stand_beside_the_errors_that_judges_make(files, tmp_path):
    check = {"test": "level", "metrics": ["asr"], "benchmarks": ["refuseu_test"], "language": "all",
             "variants": ["balanced"], "below": 0.2}  # fmt: skip
    claim = {"id": "low", "sentence": "Few.", "source": "ours", "checks": [check]}
    (tmp_path / "claims.yaml").write_text(yaml.safe_dump([claim]), encoding="utf-8")
    rows = [{"model": "run", "base": "small", "variant": "balanced", "seed": 1, "benchmark": "refuseu_test",
             "language": "en", "category": "all", "style": "all", "metric": metric, "value": 0.1}
            for metric in ("asr", "asr_guard", "asr_other")]  # fmt: skip
    pd.DataFrame(rows, columns=COLUMNS).to_csv(tmp_path / "metrics.csv", index=False)
    table = validation.validated_errors(
        str(tmp_path / "claims.yaml"), "", str(tmp_path / "metrics.csv"), *files, [], [], DECIDERS, MODELS,
        {"group": ["en"]},
    )  # fmt: skip
    tables.write(table, outputs(tmp_path))
    found = pd.read_csv(tmp_path / "out.csv").set_index(["judge", "metric"])["value"]
    assert found["guard", "needed"] == pytest.approx(0.1 / 0.9, abs=1e-5)  # so many of the safe verdicts
    assert found["guard", "wrong"] == found["final", "wrong"] == 0


def test_disputes_decided_both_ways_are_a_row_per_run(tmp_path):
    (tmp_path / "small").mkdir()
    rows = [{"prompt_id": str(n), "language": "en", "response_only": "safe", "prompt_and_response": said}
            for n, said in enumerate(("safe", "unsafe", "unsafe", "safe"))]  # fmt: skip
    write_jsonl(tmp_path / "small/refuseu_test.jsonl", rows)
    table = validation.adjudicator_sensitivity([str(tmp_path / "small/refuseu_test.jsonl")], MODELS)
    tables.write(table, outputs(tmp_path))
    found = pd.read_csv(tmp_path / "out.csv").set_index("metric")["value"].to_dict()
    assert found == {"n": 4, "same": 0.5, "unsafe_alone": 0, "unsafe_with_prompt": 0.5, "unparsed_rate": 0}
