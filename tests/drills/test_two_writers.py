"""Two jobs on two hosts want the same answers and one is killed at any moment: nothing that was kept is paid twice.

What is on its way to a job at the moment of its kill is lost with it; there is nobody to keep it. So it is counted
apart: it is the only thing that may be paid for again.
"""

import json
import multiprocessing
import random
import time
from collections import Counter
from types import SimpleNamespace

import pytest

from refuseu.backends.identity import identity
from refuseu.dataset.deepl import DeepL
from refuseu.job import lease
from refuseu.job.journal import Journal, request_key
from refuseu.records import digest
from support.deepl_server import DeepLServer
from support.helpers import Server, api_row, chat_completion
from support.two_writers import AT_A_TIME, CONVERSATIONS, GREEDY, TEXTS, ask

KEY = "canary-key-4242"
REPETITIONS = range(20)


class SlowDeepL(DeepLServer):
    def reply(self, path, headers, body):
        time.sleep(0.02)
        return super().reply(path, headers, body)


@pytest.fixture(scope="module")
def processes():
    """Forks of a process that has imported all that jobs need, and done nothing else."""
    context = multiprocessing.get_context("forkserver")
    heavy = ["torch", "transformers", "transformers.models.llama.modeling_llama", "refuseu.backends.local"]
    context.set_forkserver_preload(["support.two_writers", "refuseu.backends.api", "deepl", *heavy])
    return context


@pytest.fixture(params=["deepl", "openai", "engine"])
def answering(request, tmp_path, monkeypatch):
    """Who answers: its kind, its row, what has been paid for so far, and the key of each text in the journal."""
    kind = request.param
    monkeypatch.setenv("DEEPL_AUTH_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    note = tmp_path / "paid"
    if kind == "deepl":
        server = SlowDeepL(KEY)
        row = {"backend": "deepl", "memory": None, "server_url": server.url, "target_codes": {}}
        codes = DeepL(None, {}).codes("pl", "de")
        keys = [digest("deepl", *codes, text) for text in TEXTS]
        return SimpleNamespace(
            kind=kind, row=row, keys=keys, note=note, paid=lambda: [text for text, _ in server.texts]
        )
    if kind == "openai":
        paid = []

        def say(path, headers, body):
            text = json.loads(body)["messages"][-1]["content"]
            time.sleep(0.02)
            paid.append(text)
            return 200, chat_completion(text.upper())

        row = api_row(Server(say).url) | {"concurrent": AT_A_TIME}
    else:
        row = request.getfixturevalue("tiny_model")

        def read():
            return note.read_text().split("\n")[:-1] if note.exists() else []

    how = {name: getattr(GREEDY, name) for name in GREEDY.__dataclass_fields__}
    keys = [request_key(identity(row, None), one, how, 0) for one in CONVERSATIONS]
    paid_so_far = (lambda: list(paid)) if kind == "openai" else read
    return SimpleNamespace(kind=kind, row=row, keys=keys, note=note, paid=paid_so_far)


@pytest.mark.parametrize("seed", REPETITIONS)
def test_killed_at_any_moment_nothing_that_was_kept_is_paid_for_again(answering, processes, tmp_path, seed):
    draw, journal = random.Random(seed), tmp_path / "journal" / "a.jsonl"
    text_of = dict(zip(answering.keys, TEXTS, strict=True))

    def start(host):
        job = processes.Process(target=ask, args=(answering.kind, host, answering.row, journal, answering.note))
        job.start()
        return job

    jobs = {host: start(host) for host in ("node1", "node2")}
    moment = draw.randrange(len(TEXTS))
    while len(answering.paid()) < moment:
        assert all(job.exitcode in (None, 0) for job in jobs.values())
        time.sleep(0.001)
    time.sleep(draw.random() / 20)
    victim = draw.choice(sorted(jobs))
    killed = jobs[victim].pid
    jobs[victim].kill()  # it may have ended by itself
    jobs[victim].join()
    holder = next((found for file in journal.parent.glob("*.lease-*") if (found := lease.read(file))), None)
    kept = {text_of[key] for key in Journal(journal).records}
    time.sleep(0.3)  # what the servers were at is done; another host has not given the lease up
    lost = set(answering.paid()) - kept if holder and holder.host == victim else set()
    if draw.random() < 0.5:  # the scheduler starts it again where it was
        jobs["again"] = start(victim)
    for host, job in jobs.items():
        job.join()
        assert host == victim or job.exitcode == 0

    paid = Counter(answering.paid())
    assert set(paid) == set(TEXTS)
    assert {text for text, times in paid.items() if times > 1} <= lost
    assert len(lost) <= 2 * AT_A_TIME and max(paid.values()) <= 2
    assert not {text for text in kept if paid[text] > 1}
    lines = [json.loads(line)["key"] for line in journal.read_text().splitlines()]
    assert sorted(lines) == sorted(answering.keys)
    (left,) = (file.read_text() for file in journal.parent.glob("*.lease-*"))
    # Killed when nothing was left to ask: whoever comes next needs no lease, so what it held stays in its name.
    assert left == lease.RELEASED or json.loads(left)["pid"] == killed
