"""The plan and the journal report as a user asks for them: without GPU, keys and network, anew each time."""

import csv
import re

import pytest

from support.deepl_server import DeepLServer
from support.studies import MINIATURE


def table(made, study):
    with open(made.folder / f"results/{study}/plan/plan.csv", newline="") as lines:
        return list(csv.DictReader(lines))


def jobs_run(ended):
    """Rules of which a run did one job."""
    return re.findall(r"^✓ (\w+): 1 job,", ended.stdout + ended.stderr, re.MULTILINE)


@pytest.mark.parametrize(
    ("study", "options"),
    [
        ("miniature", MINIATURE),
        ("paper", ("-c1",)),
        ("released", ("-c1", "--configfile", "config/released.yaml")),
    ],
)
def test_the_plan_counts_the_jobs_that_a_run_would_start(checkout, study, options):
    ended = checkout.snakemake("plan", *options)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert jobs_run(ended) == ["plan"]
    planned = {row["stage"]: int(row["jobs"]) for row in table(checkout, study) if row["model"] == "all"}
    del planned["all"]
    found = checkout.jobs(*options)
    assert planned == {rule: found.get(rule) for rule in planned}
    # Whatever asks a model takes a GPU or an API in the paper's study, and is planned.
    assert set(planned) >= {"align", "generate", "judge", "adjudicate", "judge_fluency", "knowledge", "reference"}


def test_plan_and_report_are_made_anew_whenever_they_are_asked_for(checkout):
    for _ in range(2):
        ended = checkout.snakemake("plan", "journal_report", *MINIATURE)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert sorted(jobs_run(ended)) == ["journal_report", "plan"]
    assert (checkout.folder / "results/miniature/journal_report/journal_report.md").is_file()


def test_no_other_target_makes_them(checkout):
    assert not {"plan", "journal_report"} & set(checkout.jobs(*MINIATURE))


@pytest.fixture
def deepl():
    """A server that knows another key than ours."""
    server = DeepLServer("another-key")
    yield server
    server.server.shutdown()
    server.server.server_close()


@pytest.fixture
def paid(checkout, deepl, monkeypatch):
    """The one job that translates the seeds, with a key that nobody takes."""
    monkeypatch.setitem(checkout.environ, "DEEPL_AUTH_KEY", "canary-key")

    def run(budget):
        dataset = {"translation": {"server_url": deepl.url}}
        overlay = checkout.overlay("budget.yaml", {"study": "bounded", "budget": budget, "dataset": dataset})
        return checkout.snakemake("-c1", "--configfile", overlay, "--", "results/bounded/translate_seeds/seeds.jsonl")

    return run


def test_a_run_over_the_budget_stops_before_its_first_job_with_one_sentence(checkout, deepl, paid):
    ended = paid({"money": 0.1})
    assert deepl.requests == []
    said = ended.stdout + ended.stderr
    assert ended.returncode == 1 and "Traceback" not in said
    number, line = [line for line in said.splitlines() if line.startswith("refuseu:")]
    assert "to do in" in number
    assert re.search(r"planned to take 0\.\d\d USD, more than the 0\.10 of budget\.money; raise", line)
    assert not (checkout.folder / "results/bounded/logs/translate_seeds").exists()


def test_a_run_within_the_budget_begins(checkout, deepl, paid):
    ended = paid({"money": 10})
    assert deepl.requests
    assert "planned to take" not in ended.stdout + ended.stderr
    log = (checkout.folder / "results/bounded/logs/translate_seeds/seeds.log").read_text()
    assert "DeepL" in log and "canary-key" not in log  # it got as far as the server, which refuses it


def test_a_budget_that_is_no_number_is_one_sentence(checkout):
    ended = checkout.snakemake("-n", *MINIATURE, "--config", "budget={'money': 'much', 'gpu_hours': null}")
    assert ended.returncode == 1
    assert "key budget.money: 'much' does not fit" in ended.stdout + ended.stderr
