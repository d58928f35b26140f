"""What is said of the seeds before anything is asked or paid."""

import pytest

from refuseu.runner.preflight import check_seeds
from support.helpers import ROOT


@pytest.fixture
def dataset(paper):
    return paper["dataset"] | {"seeds": str(ROOT / paper["dataset"]["seeds"])}


def said(dataset, capsys):
    check_seeds(dataset)
    return capsys.readouterr().err


def test_the_papers_study_as_configured_has_nothing_to_say(dataset, capsys):
    assert said(dataset, capsys) == ""


def test_a_number_that_is_too_small_at_the_papers_yield_is_one_sentence(dataset, capsys):
    found = said(dataset | {"fill": None}, capsys)
    assert (
        found.startswith("refuseu: if as few prompts become pairs as in the paper (4%), the 600 of S")
        and found.count("\n") == 1
    )
    assert said(dataset | {"fill": None, "split": dataset["split"] | {"if_short": "fewer"}}, capsys) == ""


def test_broken_seeds_stop_the_run(dataset, tmp_path):
    with pytest.raises(SystemExit, match=r"refuseu: the sheet .*categories.tsv does not exist"):
        check_seeds(dataset | {"seeds": str(tmp_path)})
