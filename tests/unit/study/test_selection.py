"""What tables and figures show, and what their rules are made of."""

import inspect
from pkgutil import resolve_name

import pytest

from refuseu.artifacts.declared import ARTIFACTS, NAMED
from refuseu.study.artifact_rules import ArtifactRules
from refuseu.study.study import Study

MEASURED = [artifact for artifact in ARTIFACTS if artifact.benchmarks]
DRAWN = [artifact for artifact in ARTIFACTS if artifact.kind != "page"]


@pytest.fixture(params=["paper", "miniature"])
def rules(request):
    return ArtifactRules(Study(request.getfixturevalue(request.param)))


def test_an_artifact_shows_no_model_without_measures(rules):
    assert len(MEASURED) > 15
    for artifact in MEASURED:
        assert {model for model, _ in rules.evaluations(artifact.target)} == set(rules.models(artifact.target))


def test_a_run_is_shown_where_it_was_evaluated(miniature):
    rules = ArtifactRules(Study(miniature))
    where = {artifact.target for artifact in MEASURED if "small-sft-s1" in rules.models(artifact.target)}
    assert {"table1", "outcomes_table", "fig3", "fig8"} <= where
    assert where.isdisjoint({"table3", "rtp_lx", "polyglotox", "fig6", "fig7", "fig10"})


@pytest.mark.parametrize("artifact", DRAWN, ids=lambda artifact: artifact.target)
def test_a_drawing_function_takes_what_is_declared_and_nothing_else(artifact, rules):
    given = rules.inputs(artifact) | rules.arguments(artifact)
    assert len(given) == len(artifact.inputs) + bool(artifact.published) + len(artifact.facts) + len(artifact.says)
    inspect.signature(resolve_name(artifact.function)).bind(
        **given, **{"width": 1.0} if artifact.kind == "figure" else {}
    )


def test_a_pattern_stands_for_a_file_or_for_one_file_per_value_of_its_slots(miniature):
    rules = ArtifactRules(Study(miniature))
    assert rules.files("<study>/funnel/funnel.csv", NAMED["funnel_table"]) == "<study>/funnel/funnel.csv"
    assert rules.files("{train}", NAMED["leakage"]) == "<study>/split_pairs/train.jsonl"
    assert rules.files("{audit}/audit.csv", NAMED["table8"]) == []
    assert rules.files("<study>/judge/{guard}/{evaluation}.jsonl", NAMED["table16"]) == [
        f"<study>/judge/{guard}/{model}/refuseu_test.jsonl"
        for guard in ("guard_a", "guard_b")
        for model in rules.models("table16")
    ]


def test_what_a_study_lacks_is_none_of_its_artifacts_but_has_a_rule(paper, miniature):
    own, small = ArtifactRules(Study(paper)), ArtifactRules(Study(miniature))
    assert "circularity" in {one.target for one in own.own("table")} - {one.target for one in small.own("table")}
    assert "circularity" in {one.target for one in small.ruled("table")}
    assert "judge_accuracy_table" in {one.target for one in small.own("table")}
    assert "judge_accuracy_table" not in {one.target for one in own.ruled("table")}
    assert set(NAMED) == {one.target for kind in ("table", "figure", "page") for one in small.ruled(kind)}


def test_targets_and_files_are_no_two_artifacts_names():
    assert len(NAMED) == len(ARTIFACTS) == len({artifact.csv for artifact in ARTIFACTS})
    assert all(artifact.title and artifact.caption and not artifact.title.endswith(".") for artifact in ARTIFACTS)


def test_figures_say_what_the_miniatures_bases_stand_for(miniature, paper):
    assert ArtifactRules(Study(miniature)).style()["bases"] == {"small": "small (for 8B)", "large": "large (for 70B)"}
    assert "bases" not in ArtifactRules(Study(paper)).style()
