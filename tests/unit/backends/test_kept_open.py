"""A model stays loaded while it is asked again."""

import pytest

from refuseu.backends import journaled
from refuseu.backends.completion import Completion, Decoding
from refuseu.backends.journaled import complete, kept_open, uncut

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
