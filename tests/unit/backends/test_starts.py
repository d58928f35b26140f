"""One start of a model for several jobs."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from refuseu.backends.journaled import complete
from refuseu.backends.starts import in_one_start
from refuseu.job.journal import Journal
from refuseu.job.lease import Lease
from refuseu.job.paths import journal_path
from support.loaded import GREEDY, ROW


def asking(name, *questions):
    """A job that asks these; its file of questions is there."""
    file = Path(f"questions/{name}.json")
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(questions))
    output = [f"results/s/generate/m/{name}.jsonl"]
    return {"read": [str(file)], "input": {"questions": str(file)}, "output": output, "params": {"mark": name}}


def own(job, *ahead):
    params = {"mark": job["params"]["mark"], "row": ROW, "ahead": list(ahead)}
    return SimpleNamespace(input=SimpleNamespace(**job["input"]), output=job["output"], params=Params(params))


class Params(dict):
    __getattr__ = dict.__getitem__


def ask(job):
    questions = json.loads(Path(job.input.questions).read_text())
    found = complete(job.params.row, None, questions, GREEDY, journal_path(job.output[0]), 1)
    return job.params.mark, [one.text for one in found]


def test_a_loaded_model_is_asked_for_others_who_then_load_nothing(said):
    first, second = asking("first", "a"), asking("second", "b", "c")
    assert in_one_start(own(first, second), ask) == ("first", ["a"])
    assert said == ["loaded", "a", "b", "c", "closed"]
    assert in_one_start(own(second, first), ask) == ("second", ["b", "c"])
    assert len(said) == 5


def test_who_loads_nothing_asks_for_nobody(said):
    first, second = asking("first", "a"), asking("second", "b")
    in_one_start(own(first), ask)
    in_one_start(own(first, second), ask)
    assert said == ["loaded", "a", "closed"]


def test_what_is_not_there_yet_or_being_asked_is_left_alone(said):
    first, second, third = asking("first", "a"), asking("second", "b"), asking("third", "c")
    Path(second["read"][0]).unlink()
    with Lease(journal_path(third["output"][0])):
        in_one_start(own(first, second, third), ask)
    assert said == ["loaded", "a", "closed"]


def test_an_error_with_anothers_questions_is_left_to_its_job_and_the_next_is_asked(said, caplog):
    first, second, third = asking("first", "a"), asking("second", "b", "broken"), asking("third", "c")
    assert in_one_start(own(first, second, third), ask) == ("first", ["a"])
    assert said == ["loaded", "a", "b", "broken", "c", "closed"]
    assert "second.jsonl is left to its own job: RuntimeError: no answer" in caplog.text
    assert "Traceback" not in caplog.text  # which the terminal would take for the end of this job
    assert len(Journal(journal_path(second["output"][0])).records) == 1
    with pytest.raises(RuntimeError):
        in_one_start(own(second, first), ask)


def test_another_of_whom_nobody_can_say_whether_it_is_ready_is_left_to_its_job(said, caplog, monkeypatch):
    first, second, third = asking("first", "a"), asking("second", "b"), asking("third", "c")

    def held(journal):
        if "second" in str(journal):
            raise PermissionError("no entry")
        return False

    monkeypatch.setattr("refuseu.backends.starts.held", held)
    assert in_one_start(own(first, second, third), ask) == ("first", ["a"])
    assert said == ["loaded", "a", "c", "closed"]
    assert "second.jsonl is left to its own job: PermissionError: no entry" in caplog.text
