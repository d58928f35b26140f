"""The backend for any OpenAI-compatible server, against one on this machine."""

import email.utils
import io
import json
import threading
import time
from datetime import UTC, datetime, timedelta

import httpx2
import openai
import pytest

from refuseu.backends import api, failures
from refuseu.backends.completion import Completion, Decoding
from refuseu.backends.journaled import complete
from refuseu.errors import UserError
from refuseu.evaluation.judging import unsafe_probability
from refuseu.job import progress
from refuseu.job.journal import Journal
from support.helpers import Drip, Drop, api_row, chat_completion

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
    [(index, found)] = api.OpenAI(api_row(server.url)).complete(turns("a"), GREEDY, [0])
    assert (index, found) == (0, Completion("cut", "length", 7, 3, None))


def test_the_server_is_asked_in_its_own_words(serve):
    server = serve(echo)
    conversation = [{"role": "system", "content": "Be brief {x}."}, {"role": "user", "content": 'Hi "🙂"'}]
    list(api.OpenAI(api_row(server.url)).complete([conversation, "raw text"], GREEDY, [1, 2]))
    asked = sorted(server.chats, key=lambda chat: len(chat["messages"]))
    assert asked[1]["messages"] == conversation
    assert asked[0]["messages"] == [{"role": "user", "content": "raw text"}]
    assert {k: v for k, v in asked[1].items() if k != "messages"} == {
        "model": "remote-1", "temperature": 0.0, "top_p": 1.0, "max_completion_tokens": 16,
    }  # fmt: skip
    assert server.requests[0][1]["Authorization"] == f"Bearer {CANARY}"


def test_seeds_are_sent_when_sampling(serve):
    server = serve(echo)
    list(api.OpenAI(api_row(server.url)).complete(turns("a", "b"), SAMPLED, [11, 22]))
    assert {chat["messages"][0]["content"]: chat["seed"] for chat in server.chats} == {"a": 11, "b": 22}
    assert {chat["temperature"] for chat in server.chats} == {0.7}


def test_answers_come_in_the_order_in_which_they_arrive(serve):
    taken = threading.Event()

    def reply(path, headers, body):
        if content(body) == "slow":
            taken.wait()
        return echo(path, headers, body)

    found = api.OpenAI(api_row(serve(reply).url)).complete(turns("slow", "fast"), GREEDY, [0, 0])
    assert next(found)[0] == 1
    taken.set()
    assert next(found)[0] == 0
    assert list(found) == []


def test_many_questions_all_get_their_own_answer(serve):
    words = [f"word {n}" for n in range(100)]
    found = dict(api.OpenAI(api_row(serve(echo).url)).complete(turns(*words), GREEDY, [0] * 100))
    assert [found[i].text for i in range(100)] == [word.upper() for word in words]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again(serve, status):
    statuses = [status]

    def reply(path, headers, body):
        return (statuses.pop(), {"error": {"message": "busy"}}) if statuses else echo(path, headers, body)

    server = serve(reply)
    [(_, found)] = api.OpenAI(api_row(server.url)).complete(turns("a"), GREEDY, [0])
    assert found.text == "A"
    assert len(server.chats) == 2


def test_who_waits_at_the_terminal_is_told_now_and_then_that_a_server_is_asked_again(serve, monkeypatch):
    terminal, fails = io.StringIO(), [500] * 8
    monkeypatch.setattr(progress, "terminal", terminal)
    monkeypatch.setattr(progress, "waiting_told", -progress.PATIENCE)
    monkeypatch.setattr(failures, "FIRST_PAUSE", 0.01)
    server = serve(lambda *asked: (fails.pop(), {}) if fails else echo(*asked))
    assert len(list(api.OpenAI(api_row(server.url)).complete(turns("a", "b", "c"), GREEDY, [0] * 3))) == 3
    assert terminal.getvalue() == "remote-1: InternalServerError, asked again in 0.0 s (1 of 8 times)\n"


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_told_at_once_and_without_the_key(serve, status):
    server = serve(lambda *_: (status, {"error": {"message": f"Incorrect API key provided: {CANARY}"}}))
    message = refused(list, api.OpenAI(api_row(server.url)).complete(turns("a"), GREEDY, [0]))
    assert message == (
        "the API refused the key for remote-1; answers so far are kept, 1 left to ask, check OPENAI_API_KEY"
    )
    assert len(server.chats) == 1


def test_a_server_that_stays_broken_is_told_after_all_retries(serve, monkeypatch):
    monkeypatch.setattr(api, "RETRIES", 1)
    monkeypatch.setattr(failures, "FIRST_PAUSE", 0.01)
    server = serve(lambda *_: (500, {"error": {"message": CANARY}}))
    message = refused(list, api.OpenAI(api_row(server.url)).complete(turns("a"), GREEDY, [0]))
    assert message.startswith("the API answered 500 for remote-1;")
    assert len(server.chats) == 2


def test_a_server_that_cannot_be_reached_is_told(serve, monkeypatch):
    monkeypatch.setattr(api, "RETRIES", 0)
    server = serve(echo)
    server.server.shutdown()
    server.server.server_close()
    message = refused(list, api.OpenAI(api_row(server.url)).complete(turns("a"), GREEDY, [0]))
    assert message.startswith("the API of remote-1 cannot be reached or gives no whole answer in time; answers so far")


# What stops at once, and what is waited for


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        (402, {"message": CANARY}, "the account behind OPENAI_API_KEY has no credit left for remote-1"),
        (429, {"code": "insufficient_quota", "message": CANARY}, "the account behind OPENAI_API_KEY has no credit"),
        (404, {"code": "model_not_found"}, "the API does not know remote-1"),
        (400, {"code": "unsupported_value", "param": "messages", "message": CANARY},
         "the API answered 400 (unsupported_value, messages) for remote-1"),
        (400, {"code": CANARY, "param": f"Bearer {CANARY}"}, "the API answered 400 for remote-1"),
        (422, CANARY, "the API answered 422 for remote-1"),
    ],
)  # fmt: skip
def test_what_another_try_does_not_mend_stops_at_once(serve, status, error, said):
    server = serve(lambda *_: (status, {"error": error}))
    message = refused(list, api.OpenAI(api_row(server.url)).complete(turns("a"), GREEDY, [0]))
    assert message.startswith(said) and "answers so far are kept, 1 left to ask" in message
    assert len(server.chats) == 1


def test_when_one_request_is_refused_what_is_under_way_still_arrives_and_nothing_else_is_asked(serve):
    refused_one = threading.Event()

    def reply(path, headers, body):
        if content(body) == "bad":
            refused_one.set()
            return 401, {"error": {"message": "no"}}
        refused_one.wait()
        time.sleep(1)  # the refusal arrives first
        return echo(path, headers, body)

    server = serve(reply)
    found = api.OpenAI(api_row(server.url) | {"concurrent": 2}).complete(
        turns("slow", "bad", "c", "d"), GREEDY, [0] * 4
    )
    assert next(found)[1].text == "SLOW"
    assert "3 left to ask" in refused(next, found)
    assert len(server.chats) == 2


def test_at_most_so_many_requests_are_under_way(serve):
    lock, now, most, three = threading.Lock(), 0, 0, threading.Barrier(3, timeout=60)

    def reply(path, headers, body):
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        three.wait()
        with lock:
            now -= 1
        return echo(path, headers, body)

    row = api_row(serve(reply).url) | {"concurrent": 3}
    assert len(list(api.OpenAI(row).complete(turns(*"abcdefghijkl"), GREEDY, [0] * 12))) == 12
    assert most == 3


def test_a_consumer_that_stops_ends_the_asking(serve):
    server = serve(echo)
    found = api.OpenAI(api_row(server.url) | {"concurrent": 1}).complete(turns(*"abcdef"), GREEDY, [0] * 6)
    next(found)
    found.close()
    time.sleep(0.3)  # what is under way arrives
    assert len(server.chats) <= 3


@pytest.mark.parametrize("told", [{"Retry-After": "1"}, {"Retry-After-Ms": "1000"}])
def test_the_server_says_how_long_to_wait(serve, told):
    times = []

    def reply(path, headers, body):
        times.append(time.monotonic())
        return (429, {}, told) if len(times) == 1 else echo(path, headers, body)

    [(_, found)] = api.OpenAI(api_row(serve(reply).url)).complete(turns("a"), GREEDY, [0])
    assert found.text == "A" and times[1] - times[0] >= 1


def test_a_server_that_wants_to_be_left_alone_for_long_stops_the_job(serve):
    server = serve(lambda *_: (429, {}, {"Retry-After": "3600"}))
    message = refused(list, api.OpenAI(api_row(server.url)).complete(turns("a"), GREEDY, [0]))
    assert message.endswith("run again in 3600 s") and len(server.chats) == 1


def status_error(status, **headers):
    response = httpx2.Response(status, headers=headers, request=httpx2.Request("POST", "http://127.0.0.1"))
    return openai.APIStatusError("", response=response, body=None)


def test_a_date_to_wait_for_is_understood():
    soon = email.utils.format_datetime(datetime.now(UTC) + timedelta(seconds=50), usegmt=True)
    assert 45 < failures.pause(status_error(503, **{"Retry-After": soon}), 0) <= 50
    past = email.utils.format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True)
    assert failures.pause(status_error(503, **{"Retry-After": past}), 0) == 0
    assert 0.25 <= failures.pause(status_error(503, **{"Retry-After": "soon"}), 0) <= 0.5


def test_pauses_double_up_to_a_bound_and_differ():
    bounds = [0.5, 1, 2, 4, 8, 16, 32, 60, 60]
    for attempt, longest in enumerate(bounds):
        found = {failures.pause(status_error(500), attempt) for _ in range(50)}
        assert longest / 2 <= min(found) and max(found) <= longest and len(found) > 40


# What is no answer, and what is one


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"<html>", b"null", b"[]", b'{"choices": []}', b'{"choices": [{"message": null}]}',
     b'{"error": {"message": "overloaded"}}', b'{"choices": [{"message": {"content": [1]}}]}', b"\xff\xfe"],
)  # fmt: skip
def test_a_reply_that_is_no_chat_completion_is_asked_for_again_and_then_told(serve, monkeypatch, body):
    monkeypatch.setattr(failures, "FIRST_PAUSE", 0.01)
    replies = [(200, body)]
    server = serve(lambda *request: replies.pop() if replies else echo(*request))
    [(_, found)] = api.OpenAI(api_row(server.url)).complete(turns("a"), GREEDY, [0])
    assert found.text == "A" and len(server.chats) == 2
    monkeypatch.setattr(api, "RETRIES", 1)
    server = serve(lambda *_: (200, body))
    message = refused(list, api.OpenAI(api_row(server.url)).complete(turns("a"), GREEDY, [0]))
    assert message.startswith("the API of remote-1 answers with something else than chat completions; answers so far")
    assert len(server.chats) == 2


@pytest.mark.parametrize("fault", ["hangs", "drips", "is cut before", "is cut in the middle"])
def test_an_answer_that_does_not_come_whole_in_time_is_asked_for_again(serve, monkeypatch, fault):
    monkeypatch.setattr(failures, "FIRST_PAUSE", 0.01)
    faults, over = [fault], threading.Event()

    def reply(path, headers, body):
        if not faults:
            return echo(path, headers, body)
        if faults.pop() == "hangs":
            over.wait()
        elif fault == "drips":
            slow = Drip(json.dumps(chat_completion("drop by drop")).encode())
            slow.seconds = 5.0  # a piece each quarter of a second: no pause is as long as the time allowed
            return 200, slow
        raise Drop(in_the_middle="middle" in fault)

    server = serve(reply)
    [(_, found)] = api.OpenAI(api_row(server.url) | {"timeout": 0.5}).complete(turns("a"), GREEDY, [0])
    over.set()
    assert found.text == "A" and len(server.chats) == 2


@pytest.mark.parametrize(
    ("message", "reason", "text"),
    [
        ({"content": None}, "stop", ""),
        ({"content": ""}, "length", ""),
        ({"content": None, "refusal": "I can't."}, "stop", "I can't."),
        ({"content": None, "reasoning": "Hmm"}, "length", ""),
        ({"content": "5", "reasoning_content": "Hmm"}, "stop", "5"),
        ({"content": "<|channel|>analysis<|message|>3?<|end|><|start|>assistant<|channel|>final<|message|>5<|return|>"},
         "stop", "5"),
        ({"content": "<|channel|>analysis<|message|>Hmm, 3? Or"}, "length", ""),
        ({"content": ""}, "content_filter", ""),
    ],
)  # fmt: skip
def test_what_a_model_says_is_an_answer_even_if_it_is_empty(serve, message, reason, text):
    reply = chat_completion("")
    reply["choices"][0] |= {"message": {"role": "assistant", **message}, "finish_reason": reason}
    [(_, found)] = api.OpenAI(api_row(serve(lambda *_: (200, reply)).url)).complete(turns("a"), GREEDY, [0])
    assert found == Completion(text, reason, 7, 3)


@pytest.mark.parametrize("code", ["content_filter", "invalid_prompt"])
def test_a_prompt_that_a_server_does_not_let_through_has_an_empty_answer(serve, code):
    server = serve(lambda *_: (400, {"error": {"code": code, "message": "violates"}}))
    [(_, found)] = api.OpenAI(api_row(server.url)).complete(turns("a"), GREEDY, [0])
    assert found == Completion("", "content_filter", 0, 0)


def test_a_server_need_not_count_tokens(serve):
    reply = chat_completion("a")
    del reply["usage"]
    [(_, found)] = api.OpenAI(api_row(serve(lambda *_: (200, reply)).url)).complete(turns("a"), GREEDY, [0])
    assert (found.text, found.prompt_tokens, found.completion_tokens) == ("a", 0, 0)


# Log-probabilities of the first word

JUDGING = Decoding(0.0, 1.0, 16, first_logprobs=True)
STEPS = [
    {"token": "\n\n", "logprob": -0.1, "top_logprobs": [{"token": "\n\n", "logprob": -0.1}]},
    {"token": "un", "logprob": -0.25,
     "top_logprobs": [{"token": "un", "logprob": -0.25}, {"token": "safe", "logprob": -1.5}]},
    {"token": "safe", "logprob": 0.0, "top_logprobs": []},
]  # fmt: skip


def judged(reasoning=None):
    reply = chat_completion("\n\nunsafe")
    reply["choices"][0]["logprobs"] = {"content": STEPS}
    reply["choices"][0]["message"]["reasoning"] = reasoning
    return reply


def test_half_an_emoji_becomes_a_replacement_character_that_the_journal_can_hold(serve, tmp_path):
    reply = chat_completion("whole 🙂, cut \ud83d")  # as a server writes it: the one in two escapes, the other in one
    reply["choices"][0]["logprobs"] = {"content": [{"token": "\ud83d", "logprob": -0.5}]}
    row = api_row(serve(lambda *_: (200, reply)).url)
    for _ in range(2):  # asked for, then known
        [found] = complete(row, None, turns("a"), JUDGING, tmp_path / "j.jsonl", 4)
        assert (found.text, found.first_logprobs) == ("whole 🙂, cut \ufffd", {"\ufffd": -0.5})


def test_log_probabilities_are_those_of_the_first_word(serve):
    server = serve(lambda *_: (200, judged()))
    [(_, found)] = api.OpenAI(api_row(server.url)).complete(turns("a"), JUDGING, [0])
    assert found.first_logprobs == {"un": -0.25, "safe": -1.5}
    assert (server.chats[0]["logprobs"], server.chats[0]["top_logprobs"]) == (True, 20)
    # e^-0.25 = 0.7788, e^-1.5 = 0.2231
    assert unsafe_probability(found.first_logprobs) == pytest.approx(0.7788 / (0.7788 + 0.2231), abs=1e-4)


def test_log_probabilities_of_reasoning_are_none_of_the_verdict(serve):
    server = serve(lambda *_: (200, judged("The user asks")))
    [(_, found)] = api.OpenAI(api_row(server.url)).complete(turns("a"), JUDGING, [0])
    assert found.first_logprobs is None


@pytest.mark.parametrize("status", [400, 422])
def test_a_server_that_refuses_log_probabilities_is_asked_without_and_the_log_says_so(serve, status, caplog):
    def reply(path, headers, body):
        return (status, {"error": {"param": "logprobs"}}) if "logprobs" in body else echo(path, headers, body)

    server = serve(reply)
    found = dict(api.OpenAI(api_row(server.url) | {"concurrent": 1}).complete(turns("a", "b", "c"), JUDGING, [0] * 3))
    assert [found[i].text for i in range(3)] == ["A", "B", "C"]
    assert ["logprobs" in chat for chat in server.chats] == [True, False, False, False]
    assert "remote-1 gave no log-probabilities with 3 of 3 answers" in caplog.text


def test_a_request_that_is_refused_without_log_probabilities_too_stops(serve):
    server = serve(lambda *_: (400, {"error": {"param": "messages"}}))
    assert "(messages)" in refused(list, api.OpenAI(api_row(server.url)).complete(turns("a"), JUDGING, [0]))
    assert len(server.chats) == 2


def test_a_server_that_ignores_the_wish_for_log_probabilities_is_named_in_the_log(serve, caplog):
    list(api.OpenAI(api_row(serve(echo).url)).complete(turns("a"), JUDGING, [0]))
    assert "remote-1 gave no log-probabilities with 1 of 1 answers" in caplog.text
    caplog.clear()
    list(api.OpenAI(api_row(serve(echo).url)).complete(turns("a"), GREEDY, [0]))
    assert "log-probabilities" not in caplog.text


def test_nothing_to_ask_asks_nothing(serve):
    server = serve(echo)
    assert list(api.OpenAI(api_row(server.url)).complete([], GREEDY, [])) == []
    assert server.requests == []


def test_without_a_key_a_server_elsewhere_is_refused_and_one_here_is_asked(serve, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    message = refused(api.OpenAI, api_row("https://api.example.org"))
    assert "'remote'" in message and "set OPENAI_API_KEY in the environment" in message
    [(_, found)] = api.OpenAI(api_row(serve(echo).url)).complete(turns("a"), GREEDY, [0])
    assert found.text == "A"


@pytest.mark.parametrize("key", [f"{CANARY}\n{CANARY}", f"{CANARY} x", f"{CANARY}…"])
def test_a_key_that_no_header_can_hold_is_told_without_it(monkeypatch, key):
    monkeypatch.setenv("OPENAI_API_KEY", key)
    assert "OPENAI_API_KEY holds a blank" in refused(api.OpenAI, api_row("https://api.example.org"))


def test_a_line_end_after_the_key_is_no_part_of_it(serve, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", f"{CANARY}\n")
    server = serve(echo)
    list(api.OpenAI(api_row(server.url)).complete(turns("a"), GREEDY, [0]))
    assert server.requests[0][1]["Authorization"] == f"Bearer {CANARY}"


def test_an_address_that_is_none_ends_with_a_sentence(monkeypatch):
    monkeypatch.setattr(api, "RETRIES", 0)
    row = api_row("127.0.0.1:1")  # the scheme is missing
    assert "cannot be reached" in refused(list, api.OpenAI(row).complete(turns("a"), GREEDY, [0]))


# Through the journal


def test_answers_are_kept_in_the_journal_and_asked_once(serve, tmp_path):
    server = serve(echo)
    for words in (["a", "b", "a"], ["b", "a", "c"], ["c"]):
        found = complete(api_row(server.url), None, turns(*words), GREEDY, tmp_path / "j.jsonl", 4)
        assert [c.text for c in found] == [word.upper() for word in words]
    assert sorted(chat["messages"][0]["content"] for chat in server.chats) == ["a", "b", "c"]
    assert CANARY not in (tmp_path / "j.jsonl").read_text()


def test_what_was_answered_before_the_key_was_refused_is_kept(serve, tmp_path, monkeypatch):
    monkeypatch.setattr(api, "CONCURRENT", 1)
    allowed = {"a", "b"}

    def reply(path, headers, body):
        return echo(path, headers, body) if content(body) in allowed else (401, {"error": {"message": "no"}})

    server, journal = serve(reply), tmp_path / "j.jsonl"
    refused(complete, api_row(server.url), None, turns("a", "b", "c", "d"), GREEDY, journal, 4)
    assert sorted(record["text"] for record in Journal(journal).records.values()) == ["A", "B"]
    allowed |= {"c", "d"}
    asked = len(server.chats)
    found = complete(api_row(server.url), None, turns("a", "b", "c", "d"), GREEDY, journal, 4)
    assert [c.text for c in found] == ["A", "B", "C", "D"]
    assert {chat["messages"][0]["content"] for chat in server.chats[asked:]} == {"c", "d"}
