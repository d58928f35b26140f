"""How often models are loaded, and how long GPUs wait for it."""

import pytest

from refuseu.costs import plan
from refuseu.costs.plan import Plan
from refuseu.study.study import Study


@pytest.fixture
def papers(paper):
    return Plan(Study(paper))


def found(papers, stage):
    rows = [row for row in plan.grouped(papers.rows, ("stage",)) if row["stage"] == stage]
    return round(rows[0]["loads"], 6), rows[0]["loads_apart"]


def test_the_papers_study_loads_models_at_most_150_times(papers):
    """Evaluation alone took 393 loads when each job had its own."""
    assert found(papers, "generate") == (38, 130)
    assert found(papers, "judge") == (11 + 14 + 4, 82 + 106 + 27)
    assert found(papers, "judge_fluency") == (3, 24)
    assert found(papers, "knowledge") == (24, 24)
    assert round(papers.total["loads"]) <= 150 < 400 < papers.total["loads_apart"]


def test_gpus_wait_while_weights_are_read_and_merged(papers):
    """Gigabytes at one a second: of an instruct model once, of a base with an adapter three times, on all its GPUs."""
    by_model = {(row["stage"], row["model"]): row for row in plan.grouped(papers.rows, ("stage", "model"))}
    assert by_model["generate", "70b_instruct"]["loading"] == pytest.approx(141.1 * 4 / 3600)
    own, variants = 1, 5
    assert by_model["generate", "70b"]["loading"] == pytest.approx((own + 3 * variants) * 141.1 * 4 / 3600)
    assert papers.total["loading"] < papers.total["loading_apart"] / 3


def test_a_lora_in_the_engine_is_not_merged(paper):
    lora = Plan(Study(paper | {"generation": paper["generation"] | {"adapters": "lora"}}))
    by_model = {(row["stage"], row["model"]): row for row in plan.grouped(lora.rows, ("stage", "model"))}
    assert by_model["generate", "70b"]["loading"] == pytest.approx(6 * 141.1 * 4 / 3600)
    assert lora.loading.copy(lora.jobs) == 0


def test_what_is_done_is_not_loaded(paper):
    nothing = Plan(Study(paper), remaining=set())
    assert nothing.total["loads"] == nothing.total["loading"] == 0
    assert plan.loads(nothing) == ""


def test_the_page_says_how_large_a_merged_copy_is(papers):
    page = plan.loads(papers)
    assert "up to 141.10 GB, lies in `$TMPDIR`" in page
    assert page.splitlines()[-1].startswith("| all | all | ")
