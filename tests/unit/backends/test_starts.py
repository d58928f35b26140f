"""One start of a model for several jobs."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from refuseu.backends import journaled
from refuseu.backends.completion import Completion, Decoding
from refuseu.backends.journaled import complete, kept_open, uncut
from refuseu.backends.starts import in_one_start
from refuseu.job.journal import Journal
from refuseu.job.lease import Lease
from refuseu.job.paths import journal_path

ROW = {"model": "m", "backend": "vllm", "repository": "org/m", "revision": "a" * 40, "dtype": "auto", "endpoint": ""}
GREEDY = Decoding(0.0, 1.0, 4)


class Model:
    """Answers with the question; says when it is loaded and closed."""

    def __init__(self, said):
        self.said = said
        said.append("loaded")

    def complete(self, conversations, decoding, seeds):
        for index, asked in enumerate(conversations):
            self.said.append(asked)
            if asked == "broken":
                raise RuntimeError("no answer")
            cut = "length" if decoding.max_new_tokens == GREEDY.max_new_tokens and asked == "long" else "stop"
            yield index, Completion(asked, cut, 1, 1, None)

    def close(self):
        self.said.append("closed")


@pytest.fixture
def said(monkeypatch, tmp_path):
    """All that a model is told and does, in order."""
    monkeypatch.chdir(tmp_path)
    found = []
    monkeypatch.setattr(journaled, "open_backend", lambda *_: Model(found))
    return found


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


def test_an_error_with_anothers_questions_is_left_to_its_job(said, caplog):
    first, second = asking("first", "a"), asking("second", "b", "broken")
    assert in_one_start(own(first, second), ask) == ("first", ["a"])
    assert said == ["loaded", "a", "b", "broken", "closed"]
    assert "second.jsonl is left to its own job: RuntimeError: no answer" in caplog.text
    assert "Traceback" not in caplog.text  # which the terminal would take for the end of this job
    assert len(Journal(journal_path(second["output"][0])).records) == 1
    with pytest.raises(RuntimeError):
        in_one_start(own(second, first), ask)


def test_an_answer_that_was_cut_is_asked_for_again_without_loading_again(said):
    found = uncut(ROW, ["a", "long"], GREEDY, 9, "j.jsonl", 1)
    assert [one.finish_reason for one in found] == ["stop", "stop"]
    assert said == ["loaded", "a", "long", "long", "closed"]


def test_another_model_takes_the_place_of_the_one_that_is_kept_and_servers_are_not_kept(said):
    with kept_open() as kept:
        complete(ROW, None, ["a"], GREEDY, "1.jsonl", 1)
        with kept_open() as inner:
            assert inner is kept
        complete(ROW | {"repository": "org/other"}, None, ["a"], GREEDY, "2.jsonl", 1)
        assert said == ["loaded", "a", "closed", "loaded", "a"]
        complete(ROW | {"backend": "openai"}, None, ["b"], GREEDY, "3.jsonl", 1)
        assert said[5:] == ["loaded", "b", "closed"]
    assert said[8:] == ["closed"]
