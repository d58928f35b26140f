"""Which jobs share a start of a model."""

import pytest

from refuseu.study.starts import Starts
from refuseu.study.study import Study


@pytest.fixture
def starts(paper):
    return Starts(Study(paper))


def test_a_model_answers_all_benchmarks_in_one_start(starts):
    asked = [{"model": "8b-balanced-s1", "benchmark": name} for name in ("refuseu_test", "fluency")]
    assert {starts.of("generate", one) for one in asked} == {"generate_8b-balanced-s1"}
    assert starts.of("generate", {"model": "8b", "benchmark": "fluency"}) == "generate_8b"


def test_a_judge_labels_neighbours_in_one_start_as_many_as_the_config_says(starts):
    labelled = starts.study.evaluations("harmful", "benign")
    named = [starts.of("judge", {"judge": "polyguard", "model": m, "benchmark": b}) for m, b in labelled]
    together = starts.study.config["judging"]["together"]
    assert named == [f"judge_polyguard_{n // together}" for n in range(len(labelled))]
    [rated, *_] = starts.study.evaluations("fluency")
    assert starts.of("judge_fluency", dict(zip(("model", "benchmark"), rated, strict=True))) == "judge_fluency_0"


def test_two_judges_share_none_and_what_needs_no_gpu_shares_none(starts):
    job = {"judge": "llama_guard_3", "model": "8b", "benchmark": "refuseu_test"}
    other = job | {"judge": "polyguard"}
    assert starts.of("judge", job) != starts.of("judge", other)
    assert starts.alike("judge", job, job | {"model": "70b"}) and not starts.alike("judge", job, other)
    assert starts.of("judge", job | {"judge": "gpt_4o_mini"}) is None  # a server, which loads nothing
    assert starts.of("align", {"model": "8b-balanced-s1"}) is None
