"""A job whose engine is killed in the middle goes on from its journal, and ends with the same completions."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from refuseu.backends.completion import Decoding
from refuseu.backends.local import Transformers
from support.helpers import SCRIPTS

CHUNK = 6
JOB = """
import json, sys

if __name__ == "__main__":
    from refuseu.backends import engine, journaled
    from refuseu.backends.completion import Decoding

    engine.CHUNK = {chunk}
    row, conversations, journal = json.load(open(sys.argv[1]))
    said = journaled.complete(row, None, conversations, Decoding(0.0, 1.0, 24), journal, 8)
    json.dump([one.text for one in said], open(sys.argv[2], "w"))
"""


@pytest.fixture
def start(lively_model, conversations, tmp_path):
    """Start the job in a process group of its own."""
    (tmp_path / "job.py").write_text(JOB.format(chunk=CHUNK))
    (tmp_path / "asked.json").write_text(json.dumps([lively_model, conversations, str(tmp_path / "journal.jsonl")]))

    def start():
        command = [sys.executable, tmp_path / "job.py", tmp_path / "asked.json", tmp_path / "said.json"]
        environ = os.environ | {"PYTHONPATH": f"{SCRIPTS}{os.pathsep}{os.environ['PYTHONPATH']}"}
        with open(tmp_path / "log", "a") as log:
            return subprocess.Popen(command, env=environ, stdout=log, stderr=log, start_new_session=True)

    return start


def test_killed_in_the_middle_it_asks_only_for_what_is_missing(start, lively_model, conversations, tmp_path):
    journal = tmp_path / "journal.jsonl"
    first = start()
    while not journal.exists() or journal.read_bytes().count(b"\n") < CHUNK:
        assert first.poll() is None, (tmp_path / "log").read_text()[-4000:]
        time.sleep(0.02)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    kept = journal.read_bytes()
    kept = kept[: kept.rindex(b"\n") + 1]
    assert CHUNK <= kept.count(b"\n") < len(conversations)
    assert start().wait() == 0, (tmp_path / "log").read_text()[-4000:]
    whole = journal.read_bytes()
    assert whole.startswith(kept)
    assert whole.count(b"\n") == len({json.dumps(one) for one in conversations})
    greedy, seeds = Decoding(0.0, 1.0, 24), [0] * len(conversations)
    expected = dict(Transformers(lively_model, None, 8).complete(conversations, greedy, seeds))
    assert json.loads((tmp_path / "said.json").read_text()) == [expected[n].text for n in range(len(conversations))]
