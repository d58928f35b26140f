"""1,000 requests to a server that fails in every way, and ten kills: nothing is lost, nothing kept is asked again."""

import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import asdict

import pytest

from refuseu.backends.api import CONCURRENT
from refuseu.backends.completion import Decoding
from refuseu.backends.identity import identity
from refuseu.backends.journaled import complete
from refuseu.job.journal import Journal, request_key
from support.helpers import OFFLINE, SCRIPTS, TESTS, Drip, Drop, Server, api_row, chat_completion

KEY = "sk-canary-4242"
N = 1000
KILLS = 10
GREEDY = Decoding(0.0, 1.0, 16)
FAULTS = ("429", "429 later", "500", "503", "hangs", "drips", "cut before", "cut within", "empty", "half", "not JSON",
          "another JSON", "no choices", "an error in a 200")  # fmt: skip
QUESTIONS = [[{"role": "user", "content": f"question {number}"}] for number in range(N)]


class FaultyServer(Server):
    """Answers by what it is asked alone; about every third request fails first, up to three times, in a way
    that its text decides. Now and then a storm of 429 strikes whatever comes. Errors repeat the key.

    Attributes
    ----------
    answered : content → how often it was answered whole, or with an answer that came in drops, but in time
    """

    def __init__(self, faulty):
        self.faulty, self.tried, self.answered, self.faults = faulty, Counter(), Counter(), Counter()
        self.lock, self.storm = threading.Lock(), 0
        self.asked, self.kept_at = [], []
        super().__init__(self.reply)

    def reply(self, path, headers, body):
        content = json.loads(body)["messages"][-1]["content"]
        said = {"error": {"message": f"Something about {headers['Authorization']}", "code": KEY}}
        with self.lock:
            self.asked.append(content)
            self.tried[content] += 1
            if len(self.asked) % 200 == 0 and len(self.answered) < N - 100:  # the last one would meet it alone
                self.storm = 20
            self.storm -= self.storm > 0
            fault = self.fault(content, self.tried[content])
            self.faults[fault] += 1
            if not fault:
                self.answered[content] += 1
        whole = json.dumps(self.says(content)).encode()
        match fault:
            case "429":
                return 429, said
            case "429 later":
                return 429, said, {"Retry-After-Ms": "30"}
            case "500" | "503":
                return int(fault), said
            case "hangs":
                time.sleep(3)
                raise Drop
            case "drips":
                slow = Drip(whole)
                slow.seconds = 3.0
                return 200, slow
            case "cut before" | "cut within":
                raise Drop(in_the_middle=fault == "cut within")
            case "empty":
                return 200, b""
            case "half":
                return 200, whole[: len(whole) // 2]
            case "not JSON":
                return 200, f"<html>{headers['Authorization']}</html>".encode()
            case "another JSON":
                return 200, [said]
            case "no choices":
                return 200, {"choices": []}
            case "an error in a 200":
                return 200, said
        if int(content.split()[1]) % 50 == 3:  # slow, but in time
            whole = Drip(whole)
            whole.seconds = 0.2
        return 200, whole

    def fault(self, content, attempt):
        if not self.faulty:
            return ""
        if self.storm:
            return "429"
        draw = random.Random(f"{content} {attempt}")
        return draw.choice(FAULTS) if attempt <= 3 and draw.random() < 0.3 else ""

    def says(self, content):
        """A text; nothing, null, a cut answer or reasoning alone are answers, too."""
        number = int(content.split()[1])
        said = {0: None, 1: "", 2: "<|channel|>analysis<|message|>Hmm"}.get(number % 50, f"answer to {content}")
        return chat_completion(said, "length" if number % 7 == 0 else "stop")


CHILD = """
import sys
from pathlib import Path
from types import SimpleNamespace
from support.helpers import api_row
from refuseu.backends import failures
from refuseu.backends.completion import Decoding
from refuseu.backends.journaled import complete
from refuseu.records import write_jsonl
from refuseu.job.start import run

url, folder, number = sys.argv[1:]
failures.FIRST_PAUSE = 0.05

def main(snakemake):
    questions = [[{"role": "user", "content": f"question {n}"}] for n in range(1000)]
    row = api_row(url) | {"timeout": 2.0}
    found = complete(row, None, questions, Decoding(0.0, 1.0, 16), f"{folder}/journal.jsonl", 4)
    write_jsonl(f"{folder}/result.jsonl", ({"text": one.text, "reason": one.finish_reason} for one in found))

sys.exit(run(main, SimpleNamespace(rule="ask", log=[f"{folder}/{number}.log"])))
"""


@pytest.fixture
def start(tmp_path):
    """Start an asking process; it ends with the test."""
    processes = []

    def begin(url, number):
        command = [sys.executable, "-c", CHILD, url, str(tmp_path), str(number)]
        environ = {"PYTHONPATH": f"{SCRIPTS}:{TESTS}:{OFFLINE}", "OPENAI_API_KEY": KEY}
        with open(tmp_path / f"{number}.terminal", "w") as said:
            processes.append(subprocess.Popen(command, env=environ, stdout=said, stderr=said))
        return processes[-1]

    yield begin
    for process in processes:
        process.kill()


def test_ten_kills_among_all_faults_lose_nothing_and_ask_for_nothing_again_that_was_kept(start, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    sound, server = FaultyServer(faulty=False), FaultyServer(faulty=True)
    expected = complete(api_row(sound.url), None, QUESTIONS, GREEDY, tmp_path / "sound" / "journal.jsonl", 4)
    who, how = identity(api_row(server.url), None), asdict(GREEDY)
    content = {request_key(who, question, how, 0): question[0]["content"] for question in QUESTIONS}
    journal, draw = tmp_path / "journal.jsonl", random.Random(4242)

    for number, moment in enumerate(sorted(draw.sample(range(20, 950), KILLS))):
        process = start(server.url, number)
        while not journal.exists() or journal.read_bytes().count(b"\n") < moment:
            assert process.poll() is None, (tmp_path / f"{number}.log").read_text()[-2000:]
            time.sleep(0.005)
        time.sleep(draw.uniform(0, 0.05))
        process.send_signal(signal.SIGKILL)
        process.wait()
        before = len(server.asked)
        kept = {content[key] for key in Journal(journal).records}
        assert moment <= len(kept) < N
        server.kept_at.append((before, kept))
    assert start(server.url, KILLS).wait() == 0

    result = [json.loads(line) for line in (tmp_path / "result.jsonl").read_text().splitlines()]
    assert result == [{"text": one.text, "reason": one.finish_reason} for one in expected]
    assert len(journal.read_text().splitlines()) == len(Journal(journal).records) == N
    for before, kept in server.kept_at:
        assert not kept & set(server.asked[before:])
    # What was on its way at a kill is the most that a server may have answered for nothing.
    again = sum(server.answered.values()) - N
    assert 0 <= again <= KILLS * CONCURRENT
    assert all(server.faults[fault] >= 10 for fault in FAULTS), server.faults

    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 2 * KILLS
    assert not [path for path in files if b"canary" in path.read_bytes()]
