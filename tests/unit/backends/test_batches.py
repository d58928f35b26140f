"""The Batch API over the real client, against a server on this machine that speaks files and batches."""

import json
import signal
import subprocess
import sys
import time

import pytest

from refuseu.backends import batches
from refuseu.backends.completion import Completion, Decoding
from refuseu.backends.journaled import complete
from refuseu.errors import UserError
from support.batch_server import BatchServer
from support.helpers import SCRIPTS, TESTS, api_row, chat_completion

KEY = "sk-canary-4242"
GREEDY = Decoding(0.0, 1.0, 16)
JUDGING = Decoding(0.0, 1.0, 16, first_logprobs=True)
WORDS = ["a", "b", "c", "d", "e"]


@pytest.fixture
def serve(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setattr(batches, "POLL", 0.01)
    servers = []

    def start(*arguments, **named):
        servers.append(BatchServer(*arguments, **named, key=KEY))
        return servers[-1]

    yield start
    for server in servers:
        server.server.shutdown()
        server.server.server_close()


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "journal.jsonl"


def notes(journal):
    return journal.with_suffix(".batches.json")


def ask(server, journal, words=WORDS, decoding=GREEDY):
    conversations = [[{"role": "user", "content": word}] for word in words]
    found = complete(api_row(server.url) | {"batch": True}, None, conversations, decoding, journal, 4)
    return [completion.text for completion in found]


def refused(server, journal, *more):
    with pytest.raises(UserError) as error:
        ask(server, journal, *more)
    assert KEY not in str(error.value) and "\n" not in str(error.value)
    return str(error.value)


def test_answers_are_joined_by_id_and_come_from_one_batch(serve, journal):
    server = serve()
    assert ask(server, journal) == ["A", "B", "C", "D", "E"]
    assert server.asked == [WORDS]
    [file] = [server.lines(batch["input_file_id"]) for batch in server.batches.values()]
    assert file[0] == {
        "custom_id": file[0]["custom_id"], "method": "POST", "url": "/v1/chat/completions",
        "body": {"model": "remote-1", "messages": [{"role": "user", "content": "a"}], "temperature": 0.0,
                 "top_p": 1.0, "max_completion_tokens": 16},
    }  # fmt: skip
    assert len({line["custom_id"] for line in file}) == 5
    assert not notes(journal).exists()
    assert server.chats == []


def test_half_an_emoji_in_a_batch_becomes_a_replacement_character(serve, journal):
    assert ask(serve(lambda _: (200, chat_completion("cut \ud83d"))), journal, ["a"]) == ["cut \ufffd"]


def test_what_the_journal_knows_is_in_no_batch_and_both_ways_share_it(serve, journal):
    server = serve()
    ask(server, journal, ["a", "b"])
    assert ask(server, journal, ["b", "c", "a"]) == ["B", "C", "A"]
    assert server.asked == [["a", "b"], ["c"]]
    row = api_row(server.url)  # not as a batch
    assert complete(row, None, [[{"role": "user", "content": "c"}]], GREEDY, journal, 4)[0].text == "C"
    assert server.chats == []


def test_large_studies_are_split_into_files(serve, journal, monkeypatch):
    monkeypatch.setattr(batches, "REQUESTS_PER_FILE", 2)
    server = serve()
    assert ask(server, journal) == ["A", "B", "C", "D", "E"]
    assert server.asked == [["a", "b"], ["c", "d"], ["e"]]
    monkeypatch.setattr(batches, "BYTES_PER_FILE", 10)
    ask(server, journal, ["f", "g"])
    assert server.asked[3:] == [["f"], ["g"]]


def test_what_failed_for_a_while_is_in_the_next_batch(serve, journal):
    failing = {"b": (500, {"error": {"message": KEY}}), "c": "request_timeout", "d": (429, {})}

    def say(content):
        return failing.pop(content, None) or (200, chat_completion(content.upper()))

    server = serve(say)
    assert ask(server, journal) == ["A", "B", "C", "D", "E"]
    assert server.asked == [WORDS, ["b", "c", "d"]]


def test_an_expired_batch_gives_what_it_has_and_the_rest_is_submitted_again(serve, journal):
    late = {"d", "e"}

    def say(content):
        if content in late:
            late.remove(content)
            server.finish = "completed"
            return "batch_expired"
        return 200, chat_completion(content.upper())

    server = serve(say, "expired")
    assert ask(server, journal) == ["A", "B", "C", "D", "E"]
    assert server.asked == [WORDS, ["d", "e"]]


def test_a_cancelled_batch_stops_and_keeps_what_it_has(serve, journal):
    server = serve(lambda c: "batch_cancelled" if c in "de" else (200, chat_completion(c.upper())), "cancelled")
    message = refused(server, journal)
    assert message.startswith("the batch batch_0 of remote-1 was cancelled; answers so far are kept, 2 left to ask")
    server.finish, server.say = "completed", lambda content: (200, chat_completion(content.upper()))
    assert ask(server, journal) == ["A", "B", "C", "D", "E"]
    assert server.asked == [WORDS, ["d", "e"]]


def test_a_batch_that_is_not_accepted_stops_with_its_reason(serve, journal):
    server = serve(finish="failed")
    assert "batch_0 of remote-1 was not accepted (token_limit_exceeded)" in refused(server, journal)
    server.finish = "completed"
    assert ask(server, journal) == ["A", "B", "C", "D", "E"]
    assert server.asked == [WORDS, WORDS]


def test_a_refused_request_stops_after_the_others_are_kept(serve, journal):
    error = {"error": {"code": "invalid_value", "param": "temperature", "message": KEY}}
    server = serve(lambda c: (400, error) if c == "b" else (200, chat_completion(c.upper())))
    assert refused(server, journal).startswith(
        "the API answered 400 (invalid_value, temperature) for remote-1; answers so far are kept, 1 left to ask"
    )
    assert ask(server, journal, ["a", "c", "d", "e"]) == ["A", "C", "D", "E"]
    assert server.asked == [WORDS]


def test_a_prompt_that_is_not_let_through_has_an_empty_answer(serve, journal):
    error = {"error": {"code": "content_filter", "message": "filtered"}}
    server = serve(lambda c: (400, error) if c == "b" else (200, chat_completion(c.upper())))
    assert ask(server, journal, ["a", "b"]) == ["A", ""]
    assert [Completion(**{k: v for k, v in json.loads(line).items() if k != "key"}).finish_reason
            for line in journal.read_text().splitlines()] == ["stop", "content_filter"]  # fmt: skip


def test_log_probabilities_that_are_refused_are_left_out_of_the_next_batch(serve, journal, caplog):
    refusing = ["a", "b"]

    def say(content):
        if content in refusing:
            refusing.remove(content)
            return 400, {"error": {"param": "logprobs"}}
        return 200, chat_completion(content.upper())

    server = serve(say)
    assert ask(server, journal, ["a", "b"], JUDGING) == ["A", "B"]
    bodies = [line["body"] for batch in server.batches.values() for line in server.lines(batch["input_file_id"])]
    assert ["logprobs" in body for body in bodies] == [True, True, False, False]
    assert "gave no log-probabilities with 2 of 2 answers" in caplog.text


def test_a_round_without_any_answer_stops(serve, journal):
    server = serve(lambda content: "batch_expired", "expired")
    assert "brought no answer (batch_expired); answers so far are kept, 5 left to ask" in refused(server, journal)
    assert len(server.batches) == 1


def test_a_refused_key_is_told_without_it(serve, journal, monkeypatch):
    server = serve()
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-other")
    message = refused(server, journal)
    assert message.startswith("the API refused the key for remote-1;") and "canary" not in message


# Killed on the way

CHILD = """
import sys
from support.helpers import api_row
from refuseu.backends import batches
from refuseu.backends.completion import Decoding
from refuseu.backends.journaled import complete
batches.POLL = 0.05
conversations = [[{"role": "user", "content": word}] for word in "abcde"]
complete(api_row(sys.argv[1]) | {"batch": True}, None, conversations, Decoding(0.0, 1.0, 16), sys.argv[2], 4)
"""


def test_killed_while_it_polls_the_next_run_waits_for_the_same_batch(serve, journal):
    server = serve(finish=None)
    path = f"{SCRIPTS}:{TESTS}"
    job = subprocess.Popen(
        [sys.executable, "-c", CHILD, server.url, str(journal)], env={"PYTHONPATH": path, "OPENAI_API_KEY": KEY}
    )
    while not server.paths("/v1/batches/batch_0"):
        assert job.poll() is None
        time.sleep(0.02)
    job.send_signal(signal.SIGKILL)
    job.wait()
    [note] = json.loads(notes(journal).read_text())
    assert note["batch"] == "batch_0" and len(note["requests"]) == 5
    assert KEY not in notes(journal).read_text()
    server.finish = "completed"
    assert ask(server, journal, [*WORDS, "f"]) == ["A", "B", "C", "D", "E", "F"]
    assert server.asked == [WORDS, ["f"]]
    assert not notes(journal).exists()


@pytest.mark.parametrize("submitted", [True, False])
def test_killed_between_upload_and_submission_the_file_is_submitted_once(serve, journal, submitted, monkeypatch):
    server = serve()

    class KilledError(Exception):
        pass

    def killed(self, note, resumed=False):
        if submitted:
            self.client.batches.create(
                input_file_id=note["file"], endpoint="/v1/chat/completions", completion_window="24h"
            )
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(batches.Batches, "_submit", killed)
        with pytest.raises(KilledError):
            ask(server, journal)
    assert [note["batch"] for note in json.loads(notes(journal).read_text())] == [None]
    assert ask(server, journal) == ["A", "B", "C", "D", "E"]
    assert server.asked == [WORDS]


def test_killed_while_the_answers_come_in_only_the_rest_is_read_again(serve, journal):
    server = serve()
    ask(server, journal)
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(lines[:2]))
    batch, names = "batch_0", [line["custom_id"] for line in server.lines("file-0")]
    notes(journal).write_text(json.dumps([{"file": "file-0", "batch": batch, "requests": names}]))
    assert ask(server, journal) == ["A", "B", "C", "D", "E"]
    assert server.asked == [WORDS]
    assert len(journal.read_text().splitlines()) == 5


def test_a_batch_that_the_server_does_not_know_is_not_submitted_anew_by_itself(serve, journal):
    server = serve()
    ask(server, journal)
    names = [line["custom_id"] for line in server.lines("file-0")]
    journal.unlink()
    note = {"file": "file-0", "batch": "batch_7", "requests": names}
    notes(journal).write_text(json.dumps([note]))
    message = refused(server, journal)
    assert "does not know the batch that" in message and str(notes(journal)) in message
    assert json.loads(notes(journal).read_text()) == [note]
    assert len(server.batches) == 1


def test_a_batch_of_other_requests_is_not_waited_for(serve, journal):
    server = serve()
    notes(journal).write_text(json.dumps([{"file": "file-9", "batch": "batch_9", "requests": ["other"]}]))
    assert ask(server, journal) == ["A", "B", "C", "D", "E"]
