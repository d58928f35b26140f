"""The backend for any OpenAI-compatible server, against one on this machine."""

import json
import threading

import pytest
from helpers import api_row, chat_completion

from refuseu.backends import Completion, Decoding, answers, api
from refuseu.errors import UserError
from refuseu.journal import Journal

CANARY = "sk-canary-4242"
GREEDY = Decoding(0.0, 1.0, 16)
SAMPLED = Decoding(0.7, 0.9, 16)


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)


def content(body):
    return json.loads(body)["messages"][-1]["content"]


def echo(path, headers, body):
    return 200, chat_completion(content(body).upper())


def turns(*words):
    return [[{"role": "user", "content": word}] for word in words]


def refused(call, *args):
    with pytest.raises(UserError) as error:
        call(*args)
    message = str(error.value)
    assert CANARY not in message and "\n" not in message
    return message


def test_a_completion_holds_text_reason_and_counts(serve):
    server = serve(lambda *_: (200, chat_completion("cut", "length")))
    [(index, found)] = api.OpenAI(api_row(server.url)).answer(turns("a"), GREEDY, [0])
    assert (index, found) == (0, Completion("cut", "length", 7, 3, None))


def test_the_server_is_asked_in_its_own_words(serve):
    server = serve(echo)
    conversation = [{"role": "system", "content": "Be brief {x}."}, {"role": "user", "content": 'Hi "🙂"'}]
    list(api.OpenAI(api_row(server.url)).answer([conversation, "raw text"], GREEDY, [1, 2]))
    asked = sorted(server.chats, key=lambda chat: len(chat["messages"]))
    assert asked[1]["messages"] == conversation
    assert asked[0]["messages"] == [{"role": "user", "content": "raw text"}]
    assert {k: v for k, v in asked[1].items() if k != "messages"} == {
        "model": "remote-1", "temperature": 0.0, "top_p": 1.0, "max_completion_tokens": 16,
    }  # fmt: skip
    assert server.requests[0][1]["Authorization"] == f"Bearer {CANARY}"


def test_seeds_are_sent_when_sampling(serve):
    server = serve(echo)
    list(api.OpenAI(api_row(server.url)).answer(turns("a", "b"), SAMPLED, [11, 22]))
    assert {chat["messages"][0]["content"]: chat["seed"] for chat in server.chats} == {"a": 11, "b": 22}
    assert {chat["temperature"] for chat in server.chats} == {0.7}


def test_answers_come_in_the_order_in_which_they_arrive(serve):
    taken = threading.Event()

    def reply(path, headers, body):
        if content(body) == "slow":
            taken.wait()
        return echo(path, headers, body)

    found = api.OpenAI(api_row(serve(reply).url)).answer(turns("slow", "fast"), GREEDY, [0, 0])
    assert next(found)[0] == 1
    taken.set()
    assert next(found)[0] == 0
    assert list(found) == []


def test_many_questions_all_get_their_own_answer(serve):
    words = [f"word {n}" for n in range(100)]
    found = dict(api.OpenAI(api_row(serve(echo).url)).answer(turns(*words), GREEDY, [0] * 100))
    assert [found[i].text for i in range(100)] == [word.upper() for word in words]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again(serve, status):
    statuses = [status]

    def reply(path, headers, body):
        return (statuses.pop(), {"error": {"message": "busy"}}) if statuses else echo(path, headers, body)

    server = serve(reply)
    [(_, found)] = api.OpenAI(api_row(server.url)).answer(turns("a"), GREEDY, [0])
    assert found.text == "A"
    assert len(server.chats) == 2


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_told_at_once_and_without_the_key(serve, status):
    server = serve(lambda *_: (status, {"error": {"message": f"Incorrect API key provided: {CANARY}"}}))
    message = refused(list, api.OpenAI(api_row(server.url)).answer(turns("a"), GREEDY, [0]))
    assert message == "the API refused the key for remote-1; check OPENAI_API_KEY"
    assert len(server.chats) == 1


def test_a_server_that_stays_broken_is_told_after_all_retries(serve, monkeypatch):
    monkeypatch.setattr(api, "RETRIES", 1)
    server = serve(lambda *_: (500, {"error": {"message": CANARY}}))
    message = refused(list, api.OpenAI(api_row(server.url)).answer(turns("a"), GREEDY, [0]))
    assert message.startswith("the API answered 500 for remote-1;")
    assert len(server.chats) == 2


def test_a_server_that_cannot_be_reached_is_told(serve, monkeypatch):
    monkeypatch.setattr(api, "RETRIES", 0)
    server = serve(echo)
    server.server.shutdown()
    server.server.server_close()
    message = refused(list, api.OpenAI(api_row(server.url)).answer(turns("a"), GREEDY, [0]))
    assert message.startswith("the API of remote-1 cannot be reached; answers so far are kept")


def test_no_answer_is_an_empty_one(serve):
    server = serve(lambda *_: (200, chat_completion(None)))
    [(_, found)] = api.OpenAI(api_row(server.url)).answer(turns("a"), GREEDY, [0])
    assert (found.text, found.finish_reason) == ("", "stop")


def test_nothing_to_ask_asks_nothing(serve):
    server = serve(echo)
    assert list(api.OpenAI(api_row(server.url)).answer([], GREEDY, [])) == []
    assert server.requests == []


def test_without_a_key_a_server_elsewhere_is_refused_and_one_here_is_asked(serve, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    message = refused(api.OpenAI, api_row("https://api.example.org"))
    assert "'remote'" in message and "set OPENAI_API_KEY in the environment" in message
    [(_, found)] = api.OpenAI(api_row(serve(echo).url)).answer(turns("a"), GREEDY, [0])
    assert found.text == "A"


# Through the journal


def test_answers_are_kept_in_the_journal_and_asked_once(serve, tmp_path):
    server = serve(echo)
    for words in (["a", "b", "a"], ["b", "a", "c"], ["c"]):
        found = answers(api_row(server.url), None, turns(*words), GREEDY, tmp_path / "j.jsonl", 4)
        assert [c.text for c in found] == [word.upper() for word in words]
    assert sorted(chat["messages"][0]["content"] for chat in server.chats) == ["a", "b", "c"]
    assert CANARY not in (tmp_path / "j.jsonl").read_text()


def test_what_was_answered_before_the_key_was_refused_is_kept(serve, tmp_path, monkeypatch):
    monkeypatch.setattr(api, "CONCURRENT", 1)
    allowed = {"a", "b"}

    def reply(path, headers, body):
        return echo(path, headers, body) if content(body) in allowed else (401, {"error": {"message": "no"}})

    server, journal = serve(reply), tmp_path / "j.jsonl"
    refused(answers, api_row(server.url), None, turns("a", "b", "c", "d"), GREEDY, journal, 4)
    assert sorted(record["text"] for record in Journal(journal).records.values()) == ["A", "B"]
    allowed |= {"c", "d"}
    asked = len(server.chats)
    found = answers(api_row(server.url), None, turns("a", "b", "c", "d"), GREEDY, journal, 4)
    assert [c.text for c in found] == ["A", "B", "C", "D"]
    assert {chat["messages"][0]["content"] for chat in server.chats[asked:]} == {"c", "d"}
