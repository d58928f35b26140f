"""Held-out judges label the answers on RefusEU-test once more, and nothing else changes."""

import pytest

from support.helpers import ROOT, counted, needed, read_yaml

MINIATURE = ("--profile", "miniature")


@pytest.fixture(scope="module")
def held_out(checkout):
    overlay = checkout.overlay("held_out.yaml", {"judging": {"held_out": ["adjudicator"]}})
    return ("--configfile", "config/miniature/config.yaml", overlay)


def test_a_held_out_judge_costs_its_labels_and_one_table(checkout, whole, held_out):
    before, after = counted(needed(whole("miniature"), "tables")), checkout.jobs("tables", *MINIATURE, *held_out)
    more = {rule: n - before.get(rule, 0) for rule, n in after.items() if n != before.get(rule, 0)}
    sheet = (ROOT / "config/miniature/variants.tsv").read_text(encoding="utf-8").splitlines()[1:]
    runs = sum(not line.startswith("single_") for line in sheet)
    assert more == {"judge": runs + 2 * 2 + 2, "circularity": 1}  # two bases with their twins, two open models


def test_circularity_trains_no_run_of_the_transfer_matrix(checkout, held_out):
    jobs = checkout.planned("circularity", *MINIATURE, *held_out)
    assert any(job.startswith("judge adjudicator ") for job in jobs)
    assert not [job for job in jobs if "single_" in job or job.split()[0] in ("knowledge", "judge_fluency", "metrics")]


def test_the_miniature_has_none_and_the_paper_has_one():
    assert read_yaml("config/miniature/config.yaml")["judging"]["held_out"] == []
    assert read_yaml("config/config.yaml")["judging"]["held_out"] == ["qwen3guard"]
