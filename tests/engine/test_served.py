"""vLLM's own OpenAI-compatible server, asked by backend openai, and transformers in this process: the same answers."""

import json
import shutil
import sys

import pytest

from refuseu.backends.completion import Decoding
from refuseu.backends.journaled import complete
from refuseu.backends.local import end_tokens, load_tokenizer
from refuseu.evaluation import judging
from support.helpers import api_row
from support.served import serving

GREEDY = Decoding(0.0, 1.0, 24)
JUDGING = Decoding(0.0, 1.0, 8, first_logprobs=True)
SAMPLED = Decoding(0.7, 0.9, 24)


# Half a character. What ends with one, the server keeps back; what begins with one, it takes for blank.
HALF = "\ufffd"


@pytest.fixture(scope="module")
def row(lively_model, tmp_path_factory):
    """A row whose generation config names all ends of its tokenizer: a server knows no others."""
    folder = tmp_path_factory.mktemp("ending") / "model"
    shutil.copytree(lively_model["repository"], folder)
    settings = json.loads((folder / "generation_config.json").read_text())
    settings["eos_token_id"] = end_tokens(load_tokenizer(lively_model))
    (folder / "generation_config.json").write_text(json.dumps(settings))
    return lively_model | {"repository": str(folder), "backend": "transformers"}


@pytest.fixture(scope="module")
def served(row, tmp_path_factory):
    """A row for the same model behind a server."""
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", row["repository"]]
    command += ["--served-model-name", "remote-1", "--dtype", "float32", "--enforce-eager"]
    command += ["--max-model-len", str(row["max_model_len"]), "--gpu-memory-utilization", "0.3"]
    with serving(command, tmp_path_factory.mktemp("served") / "log") as url:
        yield api_row(url) | {"concurrent": 8}


@pytest.fixture
def asked(texts):
    """Prompts of all lengths in twelve languages, one after what was said before."""
    turns = [[{"role": "user", "content": text}] for own in texts.values() for text in own]
    return [*turns, [*turns[0], {"role": "assistant", "content": "Zażółć 🙂"}, *turns[1]]]


@pytest.fixture
def both(served, row, tmp_path):
    """Completions from the server and from this process."""

    def both(conversations, decoding):
        return [
            complete(one, None, conversations, decoding, tmp_path / f"{one['model']}.jsonl", 8) for one in (served, row)
        ]

    return both


def same(theirs, ours):
    """Whether the server said the same, but for what it keeps back."""
    return ours == theirs or (ours.endswith(HALF) and ours.startswith(theirs))


def test_greedy_answers_of_the_server_are_those_of_transformers_in_twelve_languages(both, asked):
    there, here = both(asked, GREEDY)
    assert [(one.finish_reason, one.prompt_tokens) for one in there] == [
        (one.finish_reason, one.prompt_tokens) for one in here
    ]
    assert all(same(theirs.text, ours.text) for theirs, ours in zip(there, here, strict=True))
    assert len({one.text for one in here}) > len(asked) / 2


def test_log_probabilities_from_the_server_are_those_of_transformers(both, asked):
    there, here = both(asked, JUDGING)
    whole = [(theirs, ours) for theirs, ours in zip(there, here, strict=True) if ours.text[0] != HALF]
    assert len(whole) > len(asked) / 2
    for theirs, ours in whole:
        for word in list(ours.first_logprobs)[:5]:
            if HALF not in word:
                assert theirs.first_logprobs[word] == pytest.approx(ours.first_logprobs[word], abs=1e-3)


def test_a_judge_behind_the_server_gives_the_same_labels_and_probabilities(served, row, texts, tmp_path):
    items = [(own[1], own[0]) for own in texts.values()]
    there, here = (
        judging.label(one | {"format": "llama_guard_3"}, items, {}, tmp_path / f"{one['model']}.jsonl", 8)
        for one in (served, row)
    )
    for theirs, ours in zip(there, here, strict=True):
        assert theirs["label"] == ours["label"] and same(theirs["raw"], ours["raw"])
        if ours["raw"][0] != HALF:
            assert theirs["unsafe_probability"] == pytest.approx(ours["unsafe_probability"], abs=1e-4)


def test_sampling_with_seeds_says_the_same_twice(served, asked, tmp_path):
    seeds = list(range(len(asked)))
    first, second, other = (
        [one.text for one in complete(served, None, asked, SAMPLED, tmp_path / f"{n}.jsonl", 8, own)]
        for n, own in enumerate([seeds, seeds, seeds[::-1]])
    )
    assert first == second
    assert first != other
