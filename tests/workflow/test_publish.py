"""What is published: what a card and a bundle need, and that a bundle is all that its tables and figures need."""

import shutil

import pytest

from refuseu.artifacts.declared import NAMED
from refuseu.study.publishing import AGAIN, Publishing
from refuseu.study.study import Study
from support.helpers import Checkout, counted, needed
from support.studies import MINIATURE, STUDIES

MODEL = "small-balanced-s1"
CARD = f"results/miniature/export_model/{MODEL}/README.md"
UNMEASURED = f"results/miniature/export_model_unmeasured/{MODEL}/README.md"
EVALUATION = {"load_benchmark", "generate", "judge", "adjudicate", "judge_fluency", "knowledge", "measure"}


@pytest.fixture(scope="module")
def graph(checkout):
    return checkout.graph("export", "export_unmeasured", "bundle", CARD, *MINIATURE)


def test_a_card_needs_the_measures_of_its_model_and_of_the_base_and_no_others(graph):
    jobs = needed(graph, f"export_model {MODEL}")
    measured = {job.split()[1] for job in jobs if job.startswith("measure ")}
    assert measured == {MODEL, "small"}
    assert {job for job in jobs if job.startswith(("align", "merge_model"))} == {
        f"align {MODEL}",
        f"merge_model {MODEL}",
    }
    assert not {"compare", "metrics", "report", *NAMED} & {job.split()[0] for job in jobs}


def test_a_card_without_measures_needs_no_evaluation(graph):
    jobs = counted(needed(graph, f"export_model_unmeasured {MODEL}"))
    assert jobs["align"] == jobs["merge_model"] == 1
    assert not EVALUATION & set(jobs)


def test_all_variants_are_exported_and_each_is_merged_once(graph):
    jobs = counted(needed(graph, "export", "export_unmeasured"))
    assert jobs["export_model"] == jobs["export_model_unmeasured"] == jobs["merge_model"] == 26


def test_a_whole_model_is_not_merged(checkout):
    recipes = shutil.copytree(checkout.folder / "config/miniature/recipes", checkout.folder / "all_weights")
    (recipes / "dpo.yaml").write_text(f"{(recipes / 'dpo.yaml').read_text().partition('lora:')[0]}lora: null\n")
    overlay = checkout.overlay("weights.yaml", {"sheets": {"recipes": "all_weights"}})
    found = checkout.graph(UNMEASURED, *MINIATURE, "--configfile", "config/miniature/config.yaml", overlay)
    assert f"results/miniature/align/{MODEL}/weights" in found[f"export_model_unmeasured {MODEL}"][0]
    assert "merge_model" not in counted(found)


def test_nothing_is_published_unless_asked_for(whole):
    for name in STUDIES:
        assert not {"export_model", "merge_model", "bundle"} & {job.split()[0] for job in whole(name)}


@pytest.mark.parametrize("name", ["miniature", "paper"])
def test_a_bundle_is_all_that_its_tables_and_figures_need(request, tmp_path, name):
    """Only the carried files are there, and only the rules that read no words may run: nothing is missing."""
    publishing = Publishing(Study(request.getfixturevalue(name)))
    fresh, below = Checkout(tmp_path), f"results/{name}"
    for file in publishing.carried():
        path = fresh.folder / file.replace("<study>", below)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    targets = [file.replace("<study>", below) for file in publishing.rebuilt()]
    found = counted(fresh.graph(*targets, "-c1", *STUDIES[name].profile, "--allowed-rules", *AGAIN))
    drawn = {one.target for one in publishing.own("table", "figure") if not one.words}
    assert set(found) - {"over_seeds"} == drawn | {
        "compare",
        "metrics",
        "comparisons",
        "claims",
        "latex_numbers",
        "report",
    }
    for file in publishing.carried():  # and nothing is in it that nobody reads
        path = fresh.folder / file.replace("<study>", below)
        if file.partition("/")[2].split("/")[0] in ("agreement", "spending", "funnel", "confusion", "align"):
            path.unlink()
            assert fresh.snakemake("-n", *targets, *STUDIES[name].profile, "--allowed-rules", *AGAIN).returncode == 1
            path.touch()
            break
