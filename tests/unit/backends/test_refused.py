"""Servers that do not take what they are asked with: found out once, and then left out."""

import json
from dataclasses import replace

import pytest

from refuseu.backends.chat import unsupported
from refuseu.backends.completion import Decoding
from refuseu.backends.journaled import complete, uncut
from refuseu.evaluation.judging import label, label_responses
from support.helpers import api_row, chat_completion

GREEDY = Decoding(0.0, 1.0, 16)
SAMPLED = Decoding(0.7, 0.9, 16)
TEMPLATES = {"classify": "Safe or unsafe?\n{input}"}


def refusing(*names, named=True):
    """A server that refuses these parameters, one after the other, as OpenAI and others do."""

    def reply(path, headers, body):
        asked = json.loads(body)
        for name in names:
            if name in asked:
                error = {"message": f"Unsupported parameter: '{name}' is not supported with this model."}
                return 400, {"error": error | ({"param": name, "code": "unsupported_parameter"} if named else {})}
        return 200, chat_completion("unsafe\nS1" if "bad" in asked["messages"][-1]["content"] else "safe")

    return reply


def turns(*words):
    return [[{"role": "user", "content": word}] for word in words]


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "canary-key")


@pytest.mark.parametrize("named", [True, False])
def test_a_server_that_refuses_temperature_gives_right_labels_and_refuses_once(serve, tmp_path, named):
    server = serve(refusing("temperature", named=named))
    judge, journal = api_row(server.url, "classify") | {"concurrent": 1}, tmp_path / "j.jsonl"
    items = [("?", "good"), ("?", "bad"), ("?", "fine")]
    for _ in range(2):  # the second time all is known
        found = label(judge, items, TEMPLATES, journal, 4, "response_only")
        assert [one["label"] for one in found] == ["safe", "unsafe", "safe"]
    assert len(server.chats) == 4  # one refusal, three answers
    label(judge, [("?", "another")], TEMPLATES, journal, 4, "response_only")
    assert len(server.chats) == 5  # remembered, so that nothing is refused again


def test_what_was_left_out_is_in_the_log_and_in_the_account(serve, tmp_path, caplog):
    judge = api_row(serve(refusing("temperature", "top_p")).url, "classify") | {"concurrent": 1}
    complete(judge, None, turns("a"), GREEDY, tmp_path / "j.jsonl", 4)
    assert [record.getMessage() for record in caplog.records if "does not take" in record.getMessage()] == [
        "remote does not take the parameter temperature and is asked without it",
        "remote does not take the parameter top_p and is asked without it",
    ]
    uses = [json.loads(line) for line in (tmp_path / "j.uses").read_text().splitlines()]
    assert uses[-2]["left_out"] == ["temperature", "top_p"]


def test_a_record_is_keyed_by_what_was_sent(serve, tmp_path):
    server = serve(refusing("temperature", "seed"))
    judge, journal = api_row(server.url) | {"concurrent": 1}, tmp_path / "j.jsonl"
    complete(judge, None, turns("a"), SAMPLED, journal, 4, [1])
    asked = len(server.chats)
    # Neither the temperature nor the seed reaches the server: the same request, and the same record.
    complete(judge, None, turns("a"), replace(SAMPLED, temperature=0.3), journal, 4, [2])
    assert len(server.chats) == asked
    complete(judge, None, turns("a"), replace(SAMPLED, top_p=0.5), journal, 4, [2])
    assert len(server.chats) == asked + 1


def test_the_limit_of_tokens_goes_under_its_older_name_where_the_newer_is_refused(serve, tmp_path):
    server = serve(refusing("max_completion_tokens"))
    complete(api_row(server.url) | {"concurrent": 1}, None, turns("a"), GREEDY, tmp_path / "j.jsonl", 4)
    assert server.chats[-1]["max_tokens"] == 16 and "max_completion_tokens" not in server.chats[-1]


def test_a_server_that_knows_no_logprobs_gives_right_labels(serve, tmp_path):
    server = serve(refusing("logprobs"))
    judge = api_row(server.url, "classify") | {"concurrent": 1}
    found = label(judge, [("?", "good"), ("?", "bad")], TEMPLATES, tmp_path / "j.jsonl", 4)
    assert [(one["label"], one["unsafe_probability"]) for one in found] == [("safe", None), ("unsafe", None)]
    assert len(server.chats) == 3


def reasoning(text, ends_with):
    """A server whose model thinks before it says `text`, and has come to its end with so many tokens."""

    def reply(path, headers, body):
        done = json.loads(body)["max_completion_tokens"] >= ends_with
        return 200, chat_completion(text if done else "", "stop" if done else "length")

    return reply


def test_an_answer_cut_in_its_reasoning_is_asked_for_once_more_with_room(serve, tmp_path):
    server = serve(reasoning("Sure.", 100))
    row = api_row(server.url)
    [found] = uncut(row, turns("a"), GREEDY, 100, tmp_path / "j.jsonl", 4, blank=True)
    assert (found.text, found.finish_reason) == ("Sure.", "stop")
    assert [chat["max_completion_tokens"] for chat in server.chats] == [16, 100]


def test_an_answer_that_has_begun_is_not_asked_for_again(serve, tmp_path):
    server = serve(lambda *_: (200, chat_completion("Sure, first", "length")))
    [found] = uncut(api_row(server.url), turns("a"), GREEDY, 100, tmp_path / "j.jsonl", 4, blank=True)
    assert found.text == "Sure, first" and len(server.chats) == 1


def test_what_stays_cut_is_labelled_cut_and_no_guard_is_asked(serve, tmp_path):
    server = serve(refusing())
    rows = [
        {"prompt": "?", "response": "", "finish_reason": "length"},
        {"prompt": "?", "response": "", "finish_reason": "stop"},
        {"prompt": "?", "response": "bad", "finish_reason": "length"},
    ]
    found = label_responses(api_row(server.url, "classify"), rows, TEMPLATES, tmp_path / "j.jsonl", 4)
    assert [one["label"] for one in found] == ["cut", "safe", "unsafe"]
    assert len(server.chats) == 1


def test_further_parameters_are_sent_and_count_in_the_key(serve, tmp_path):
    server = serve(refusing())
    for effort in ("low", "low", "high"):
        row = api_row(server.url) | {"parameters": {"reasoning_effort": effort}}
        complete(row, None, turns("a"), GREEDY, tmp_path / "j.jsonl", 4)
    assert [chat["reasoning_effort"] for chat in server.chats] == ["low", "high"]


@pytest.mark.parametrize(
    ("param", "said", "found"),
    [
        ("temperature", "unsupported_value 'temperature' does not support 0", "temperature"),
        (None, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens'", "max_completion_tokens"),
        (None, "extra_forbidden body seed Extra inputs are not permitted", "seed"),
        (None, "'top_p' unknown, and 'temperature' unknown", "top_p"),
        ("temperature", "invalid_value: temperature must be at most 2", ""),  # a wrong value is no refusal
        ("messages", "unsupported content in messages, temperature 0", ""),
        (None, "logprobs is not supported", ""),  # not asked for
    ],
)
def test_only_a_refused_parameter_of_the_request_is_left_out(param, said, found):
    body = dict.fromkeys(("model", "messages", "temperature", "top_p", "seed", "max_completion_tokens"))
    assert unsupported(body, param, said) == found
