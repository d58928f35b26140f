"""One greedy model, asked in this process and through a server that transformers itself starts: the same answers."""

import importlib.util
import sys
from pathlib import Path

import pytest

from refuseu.backends.completion import Decoding
from refuseu.backends.journaled import complete
from refuseu.backends.local import ENDS
from support.helpers import api_row
from support.served import serving

missing = [name for name in ("fastapi", "uvicorn") if importlib.util.find_spec(name) is None]
pytestmark = pytest.mark.skipif(bool(missing), reason=f"transformers serve needs {' and '.join(missing)}")

GREEDY = Decoding(0.0, 1.0, 24)
WORDS = ["What", "is", "the", "capital", "of", "France", "and", "why", "do", "you", "ask", "Zażółć", "gęślą", "🙂"]
PROMPTS = [[{"role": "user", "content": " ".join(WORDS[start : start + n])}] for start in (0, 4) for n in (1, 3, 9, 14)]
PROMPTS.append([{"role": "system", "content": "Be brief."}, *PROMPTS[2]])
PROMPTS.append([*PROMPTS[0], {"role": "assistant", "content": "Why?"}, *PROMPTS[5]])


@pytest.fixture
def served(lively_model, tmp_path):
    """The address of a server for a tiny model."""
    command = [Path(sys.executable).parent / "transformers", "serve", lively_model["repository"]]
    offline = {"HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
    with serving([*command, "--device", "cpu", "--dtype", "float32"], tmp_path / "serve.log", **offline) as url:
        yield url


def test_the_same_answers_from_a_server_as_from_this_process(lively_model, served, tmp_path):
    here = complete(lively_model, None, PROMPTS, GREEDY, tmp_path / "here.jsonl", 4)
    row = api_row(served) | {"repository": lively_model["repository"], "concurrent": 2}
    # This server knows the limit under its older name only, and says nothing of the other.
    row["parameters"] = {"max_tokens": 24}
    there = complete(row, None, PROMPTS, GREEDY, tmp_path / "there.jsonl", 4)
    assert [one.text for one in there] == [one.text for one in here]
    assert [one.prompt_tokens for one in there] == [one.prompt_tokens for one in here]
    assert len({one.text for one in here}) > len(PROMPTS) / 2
    assert not any(end in one.text for one in there for end in ENDS)
