"""Ratings from 1 to 5: what the judge is asked and how strictly it is read."""

import json

import pytest

from refuseu.evaluation.fluency import read_rating
from support.helpers import api_row, chat_completion

# fluency.rate is tested against a server on this machine.
from refuseu.evaluation.fluency import rate  # isort: skip

TEMPLATES = {"fluency": "Fluency of {response} to {prompt}?", "correctness": "Correctness of {response}?"}


@pytest.mark.parametrize(
    ("text", "rating"),
    [
        ("1", 1),
        ("5", 5),
        (" 4 \n", 4),
        ("\n\n3", 3),
        ("**2**", 2),
        ("The text reads well.\n4", 4),
        ("<|channel|>analysis<|message|>Maybe 2.\n2<|channel|>final<|message|>5", 5),
        ("", None),
        ("0", None),
        ("6", None),
        ("55", None),
        ("4.5", None),
        ("4/5", None),
        ("Rating: 4", None),
        ("4\nbecause it is good", None),
        ("four", None),
        ("-1", None),
        ("５", None),
        ("<|channel|>final<|message|>", None),
        ("<|channel|>analysis<|message|>Perhaps this is a\n4", None),
        ("3<|channel|>final<|message|>none", None),
    ],
)
def test_only_an_integer_alone_on_the_last_line_is_a_rating(text, rating):
    assert read_rating(text) == rating


def response(prompt_id, prompt="Hi?", text="Hello."):
    return {"prompt_id": prompt_id, "language": "en", "prompt": prompt, "response": text}


def test_each_response_is_rated_in_both_aspects(remote, tmp_path):
    judge, server = remote(lambda messages: "4" if messages[0]["content"].startswith("Fluency") else "x", "rating")
    rows = [response("1"), response("2", text="Bye.")]
    assert rate(rows, judge, TEMPLATES, 8, tmp_path / "j.jsonl", 4) == [
        {"prompt_id": "1", "language": "en", "fluency": 4, "correctness": None},
        {"prompt_id": "2", "language": "en", "fluency": 4, "correctness": None},
    ]
    assert sorted(chat["messages"][0]["content"] for chat in server.chats) == [
        "Correctness of Bye.?",
        "Correctness of Hello.?",
        "Fluency of Bye. to Hi??",
        "Fluency of Hello. to Hi??",
    ]
    assert {chat["temperature"] for chat in server.chats} == {0.0}


def test_a_prompt_that_holds_the_name_of_a_slot_is_shown_as_it_is(remote, tmp_path):
    judge, server = remote(lambda _: "4", "rating")
    rate([response("1", "Say {response} {0}", "No {prompt}.")], judge, TEMPLATES, 8, tmp_path / "j.jsonl", 4)
    asked = [chat["messages"][0]["content"] for chat in server.chats]
    assert sorted(asked) == ["Correctness of No {prompt}.?", "Fluency of No {prompt}. to Say {response} {0}?"]


@pytest.fixture
def cutting(serve):
    """A judge that needs 10 tokens to come to its rating, but `longest` for what says slow."""

    def start(longest):
        def reply(_, __, body):
            asked = json.loads(body)
            needs = longest if "slow" in asked["messages"][0]["content"] else 10
            enough = asked["max_completion_tokens"] >= needs
            return 200, chat_completion("4" if enough else "2", "stop" if enough else "length")

        server = serve(reply)
        return api_row(server.url, "rating"), server

    return start


@pytest.mark.parametrize(("longest", "rating"), [(10, 4), (15, 4), (16, 4), (17, None)])
def test_a_rating_that_was_cut_is_asked_for_once_more_with_twice_the_tokens(cutting, tmp_path, longest, rating):
    judge, server = cutting(longest)
    rows = [response("1"), response("2", text="slow")]
    found = rate(rows, judge, TEMPLATES, 8, tmp_path / "j.jsonl", 4)
    assert [row["fluency"] for row in found] == [4, rating]
    assert sorted(chat["max_completion_tokens"] for chat in server.chats) == [8] * 4 + [16] * 4


def test_what_was_cut_is_not_asked_again_in_a_second_run(cutting, tmp_path):
    judge, server = cutting(17)
    first = rate([response("1", text="slow")], judge, TEMPLATES, 8, tmp_path / "j.jsonl", 4)
    asked = len(server.chats)
    assert rate([response("1", text="slow")], judge, TEMPLATES, 8, tmp_path / "j.jsonl", 4) == first
    assert len(server.chats) == asked == 4
