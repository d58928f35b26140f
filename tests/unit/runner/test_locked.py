"""Results that a killed run has left locked: who finds them so is told what to do."""

import json
import sys
from dataclasses import asdict, replace

import pytest
from snakemake.exceptions import LockException

from refuseu.job.lease import myself
from refuseu.runner import locked


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["/x/snakemake/__main__.py", "--profile", "miniature", "a b"])
    return tmp_path


def run(**facts):
    """The note of a run."""
    locked.RUNS.mkdir(parents=True, exist_ok=True)
    who = replace(myself(), **facts)
    (locked.RUNS / f"{who.host}-{who.pid}.json").write_text(json.dumps(asdict(who)))


CURE = "free them with `snakemake --profile miniature 'a b' --unlock`, then start again"


def test_a_run_that_was_killed_is_told_and_the_command_that_frees_the_results(folder):
    run(host="login1", pid=77, started="none such")
    assert locked.sentence() == (
        f"refuseu: the results are locked by a run that is gone (process 77 on login1), killed it seems; {CURE}"
    )


def test_a_run_that_may_still_be_at_work_is_to_be_waited_for(folder):
    run(host="login1", pid=77, started="none such")
    run(host="login2", pid=78, machine="another boot")
    assert locked.sentence() == (
        "refuseu: the results are locked by process 78 on login2; wait until it has ended, or, if it was killed, "
        f"{CURE}"
    )


def test_a_lock_of_a_run_that_left_no_note_is_told_too(folder):
    assert locked.sentence() == (
        f"refuseu: the results are locked by another run; wait until it has ended, or, if it was killed, {CURE}"
    )


def test_a_run_notes_itself_and_forgets_those_that_are_gone(folder):
    run(host="login1", pid=77, started="none such")
    run(host="login2", pid=78, machine="another boot")
    locked.note()
    assert {file.name for file in locked.RUNS.iterdir()} == {
        "login2-78.json", f"{myself().host}-{myself().pid}.json"
    }  # fmt: skip


def test_snakemake_says_that_sentence_where_it_finds_the_results_locked(folder, monkeypatch):
    monkeypatch.setattr(LockException, "__init__", LockException.__init__)
    locked.explain()
    assert str(LockException()) == locked.sentence()


def test_a_run_of_make_names_the_program_that_make_installed(folder, monkeypatch):
    monkeypatch.setenv("REFUSEU_AGAIN", "make miniature")
    monkeypatch.setattr("sys.argv", [str(folder / ".venv/bin/snakemake"), "--profile", "miniature"])
    assert "`.venv/bin/snakemake --profile miniature --unlock`" in locked.sentence()
