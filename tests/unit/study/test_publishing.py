"""What a results bundle holds, and what the card of a model shows: of both studies, from their sheets."""

import pytest

from refuseu.artifacts.declared import NAMED
from refuseu.study.publishing import AGAIN, Publishing
from refuseu.study.study import Study

READ_BY_NOBODY = ("<study>/generate/", "<study>/adjudicate/", "<study>/load_benchmark/", "<study>/answer_prompts/")


@pytest.fixture(params=["paper", "miniature"])
def publishing(request):
    return Publishing(Study(request.getfixturevalue(request.param)))


@pytest.fixture
def paper_publishing(paper):
    return Publishing(Study(paper))


def test_a_bundle_holds_nothing_that_it_leads_to(publishing):
    assert not set(publishing.carried()) & set(publishing.rebuilt())
    assert all(file.startswith("<study>/") for file in [*publishing.carried(), *publishing.rebuilt()])


def test_a_bundle_holds_no_answers_of_evaluated_models(publishing):
    assert not [file for file in publishing.carried() if file.startswith(READ_BY_NOBODY)]


def test_where_texts_are_revealed_examples_of_answers_are_in_it(publishing):
    publishing.config["report"] |= {"examples": 2, "reveal": True}
    assert [file for file in publishing.carried() if file.startswith("<study>/generate/")]
    publishing.config["report"]["reveal"] = False
    assert not [file for file in publishing.carried() if file.startswith("<study>/generate/")]


def test_what_needs_the_words_is_in_it_as_it_was_drawn(publishing):
    worded = {name for name, one in NAMED.items() if one.words and one in publishing.own("table", "figure")}
    assert worded == {"leakage", "refusal_detection"}
    assert worded.isdisjoint(AGAIN)
    assert {"<study>/tables/leakage.csv", "<study>/leakage/page.json"} <= set(publishing.carried())


def test_all_tables_and_figures_of_the_study_are_in_it_or_made_from_it(publishing):
    files = {*publishing.carried(), *publishing.rebuilt()}
    assert {f"<study>/{one.csv}" for one in publishing.own("table", "figure")} <= files


def test_files_of_the_repository_are_there(publishing):
    from support.helpers import ROOT

    read = publishing.of_the_repository()
    assert {"config/claims.yaml", "resources/published/table1_asr_refuseu_test.csv"} <= set(read)
    for file in [*read, *publishing.sheets().values()]:
        assert (ROOT / file).is_file(), file


def test_a_card_shows_a_model_and_its_base_on_the_benchmarks_of_the_sheets_and_no_others(paper_publishing):
    found = paper_publishing.card_measures({"model": "8b-balanced-s1"})
    on = ["refuseu_test", "rtp_lx", "polyglotox", "global_mmlu", "fluency", "borderline"]
    assert sorted(found["measures"]) == sorted(f"<study>/measure/8b-balanced-s1/{name}.csv" for name in on)
    assert {file.split("/")[2] for file in found["of_base"]} == {"8b"}
    assert found["answered"] == ["<study>/measure/8b-balanced-s1/global_mmlu.jsonl"]
    assert found["answered_by_base"] == ["<study>/measure/8b/global_mmlu.jsonl"]


def test_a_row_of_the_transfer_matrix_has_fewer_measures(paper_publishing):
    found = paper_publishing.card_measures({"model": "8b-single_pl-s1"})
    assert found["measures"] == ["<study>/measure/8b-single_pl-s1/refuseu_test.csv"]
    assert found["answered"] == found["answered_by_base"] == []


def test_a_card_names_whoever_wrote_and_judged_the_data(paper_publishing):
    uses = paper_publishing.model_facts({"model": "8b-balanced-s1"})["uses"]
    assert uses["chosen answers"]["repository"] == "meta-llama/Llama-3.1-70B-Instruct"
    paper_publishing.config["dataset"]["source"] = "hub"
    released = paper_publishing.model_facts({"model": "8b-balanced-s1"})["uses"]
    assert [one["repository"] for one in released.values()] == ["NASK-PIB/RefusEU"]
