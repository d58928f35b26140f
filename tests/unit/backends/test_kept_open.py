"""A model stays loaded while it is asked again."""

from refuseu.backends.journaled import complete, kept_open, uncut
from support.loaded import GREEDY, ROW


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
