"""One greedy model, asked in this process and through ``vllm serve``: the same completions and log-probabilities."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from refuseu.backends.completion import Decoding
from refuseu.backends.journaled import complete
from support.helpers import api_row

JUDGING = Decoding(0.0, 1.0, 24, first_logprobs=True)


@pytest.fixture
def served(lively_model, tmp_path):
    """The address of a server for a tiny model."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [Path(sys.executable).parent / "vllm", "serve", lively_model["repository"], "--host", "127.0.0.1"]
    memory = ["--gpu-memory-utilization", "0.3", "--max-model-len", str(lively_model["max_model_len"])]
    with open(tmp_path / "serve.log", "w") as log:
        server = subprocess.Popen(
            [*command, "--port", str(port), "--dtype", "float32", "--enforce-eager", *memory],
            env={**os.environ, "VLLM_HOST_IP": "127.0.0.1"},
            stdout=log,
            stderr=log,
        )
    try:
        while not ready(f"http://127.0.0.1:{port}/health"):
            assert server.poll() is None, (tmp_path / "serve.log").read_text()[-4000:]
            time.sleep(0.5)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def ready(url):
    try:
        with urllib.request.urlopen(url):
            return True
    except urllib.error.URLError:
        return False


def test_the_same_completions_from_a_server_as_from_this_process(lively_model, served, conversations, tmp_path):
    asked = [one for one in conversations if isinstance(one, list)]
    local = lively_model | {"backend": "transformers"}
    here = complete(local, None, asked, JUDGING, tmp_path / "here.jsonl", 4)
    row = api_row(served) | {"repository": lively_model["repository"], "concurrent": 4}
    there = complete(row, None, asked, JUDGING, tmp_path / "there.jsonl", 4)
    assert [(one.text, one.prompt_tokens, one.finish_reason) for one in there] == [
        (one.text, one.prompt_tokens, one.finish_reason) for one in here
    ]
    for ours, theirs in zip(here, there, strict=True):
        best = max(ours.first_logprobs, key=ours.first_logprobs.get)
        assert theirs.first_logprobs[best] == pytest.approx(ours.first_logprobs[best], abs=1e-3)
