"""What a real vLLM on the CPU needs: models with heads of a width that it knows, and little memory."""

import os

import pytest

from refuseu.job import environment
from support.helpers import CODES, new_tiny, read_yaml

pytest.importorskip("vllm", reason="vLLM is in an environment of its own; make test-engine")
environment.prepare()
os.environ["VLLM_CPU_KVCACHE_SPACE"] = "1"  # GB
# Else every engine binds itself to the same cores.
os.environ |= {"VLLM_CPU_OMP_THREADS_BIND": "nobind", "OMP_NUM_THREADS": "1"}
ROOM = 512


@pytest.fixture(scope="session")
def texts():
    """Short and long prompts in twelve languages: one to forty sentences."""
    found = {}
    for code in CODES:
        sentences = [row["q"] for row in read_yaml(f"resources/miniature/languages/{code}.yaml")["benign"]]
        found[code] = [" ".join(sentences[:n]) for n in (1, 2, 5, 8)]
    return found


@pytest.fixture(scope="session")
def tiny_model(texts, tmp_path_factory):
    """A row of models.tsv for a two-layer Llama with random weights, and how an engine is started for it."""
    known = [text for own in texts.values() for text in own]
    row = new_tiny(tmp_path_factory.mktemp("tiny"), known, 1200, hidden=128, layers=2)
    return row | {
        "backend": "vllm", "gpu_memory_utilization": 0.3, "max_model_len": ROOM, "enforce_eager": True,
    }  # fmt: skip


@pytest.fixture(scope="session")
def conversations(texts):
    """What a model is asked: turns of users, and raw text to go on with."""
    asked = [[{"role": "user", "content": text}] for own in texts.values() for text in own]
    return [*asked, *(own[1] for own in texts.values())]
