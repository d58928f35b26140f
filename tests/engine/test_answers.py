"""One real engine, with an adapter merged into its base, and transformers: the same completions."""

import json
import os
import shutil
from collections import Counter
from itertools import chain
from pathlib import Path
from types import SimpleNamespace

import pytest

from refuseu.backends.completion import Decoding
from refuseu.backends.engine import VLLM, named_ends
from refuseu.backends.local import Transformers, token_ids
from refuseu.errors import UserError
from refuseu.evaluation import judging
from support.helpers import ROOT

GREEDY = Decoding(0.0, 1.0, 24)
JUDGING = Decoding(0.0, 1.0, 8, first_logprobs=True)
SAMPLED = Decoding(0.7, 0.9, 24)


@pytest.fixture(scope="module")
def row(lively_model, adapter, conversations, tmp_path_factory):
    """A row whose generation config names an end that its tokenizer does not: a token of a quarter of its answers."""
    folder = tmp_path_factory.mktemp("ending") / "model"
    shutil.copytree(lively_model["repository"], folder)
    answers = [set(tokens) for tokens in said(Transformers(lively_model, adapter, 8), conversations)]
    containing = Counter(chain.from_iterable(answers))
    often = min(containing, key=lambda token: abs(containing[token] - len(answers) / 4))
    settings = json.loads((folder / "generation_config.json").read_text())
    ends = [settings["eos_token_id"], often]
    (folder / "generation_config.json").write_text(json.dumps(settings | {"eos_token_id": ends}))
    return lively_model | {"repository": str(folder)}


@pytest.fixture(scope="module")
def backend(row, adapter):
    backend = VLLM(row, adapter)
    yield backend
    backend.close()


@pytest.fixture(scope="module")
def other(row, adapter):
    return Transformers(row, adapter, 8)


def said(talker, conversations):
    """The tokens of greedy answers: their text, read again, may have others."""
    ids = [token_ids(talker.tokenizer, conversation) for conversation in conversations]
    prompts = talker.tokenizer.pad({"input_ids": ids}, return_tensors="pt")
    found = talker.model.generate(
        **prompts, max_new_tokens=GREEDY.max_new_tokens, pad_token_id=talker.tokenizer.pad_token_id
    )
    return found[:, prompts["input_ids"].shape[1] :].tolist()


def ask(backend, conversations, decoding, seeds=None):
    found = dict(backend.complete(conversations, decoding, seeds or [0] * len(conversations)))
    return [found[index] for index in range(len(conversations))]


def test_greedy_completions_are_the_same_in_twelve_languages_at_all_lengths(backend, other, conversations):
    found, expected = ask(backend, conversations, GREEDY), ask(other, conversations, GREEDY)
    assert found == expected
    assert len({one.prompt_tokens for one in found}) > 20
    assert len({one.text for one in found}) > len(found) / 2


def test_both_stop_at_the_ends_that_the_generation_config_names(backend, other, row, conversations):
    assert len(named_ends(row)) == 2
    found, expected = ask(backend, conversations, GREEDY), ask(other, conversations, GREEDY)
    assert {one.finish_reason for one in found} == {"stop", "length"}
    assert [one.completion_tokens for one in found] == [one.completion_tokens for one in expected]


def test_log_probabilities_of_judges_are_the_same(backend, other, conversations):
    found, expected = ask(backend, conversations, JUDGING), ask(other, conversations, JUDGING)
    for ours, theirs in zip(found, expected, strict=True):
        assert (ours.text, ours.finish_reason) == (theirs.text, theirs.finish_reason)
        assert (ours.first_logprobs is None) == (theirs.first_logprobs is None)
        for word in list(theirs.first_logprobs or {})[:5]:
            assert ours.first_logprobs[word] == pytest.approx(theirs.first_logprobs[word], abs=1e-3)


def test_a_judge_gives_the_same_labels_and_probabilities(backend, other, row, texts, monkeypatch, tmp_path):
    items = [(own[1], own[0]) for own in texts.values()]
    said = {}
    for name, one in {"vllm": backend, "transformers": other}.items():
        asked = SimpleNamespace(complete=one.complete, close=lambda: None)  # the engine is asked again below
        monkeypatch.setattr("refuseu.backends.journaled.open_backend", lambda *_, asked=asked: asked)
        said[name] = judging.label(row | {"format": "llama_guard_3"}, items, {}, tmp_path / f"{name}.jsonl", 8)
    for ours, theirs in zip(said["vllm"], said["transformers"], strict=True):
        assert (ours["label"], ours["raw"]) == (theirs["label"], theirs["raw"])
        assert ours["unsafe_probability"] == pytest.approx(theirs["unsafe_probability"], abs=1e-4)


def test_sampling_with_the_same_seeds_says_the_same_twice_in_any_company(backend, conversations):
    seeds = list(range(len(conversations)))
    first = ask(backend, conversations, SAMPLED, seeds)
    assert ask(backend, conversations, SAMPLED, seeds) == first
    assert ask(backend, conversations[5:9], SAMPLED, seeds[5:9]) == first[5:9]
    assert ask(backend, conversations, SAMPLED, seeds[::-1]) != first


def test_seeds_hold_for_more_prompts_than_are_read_at_once(backend, texts):
    """More tokens than vLLM reads in a step; those of one prompt in two steps it cannot draw after on a CPU."""
    prompts = [[{"role": "user", "content": f"{n} {own[3]}"}] for n in range(8) for own in texts.values()]
    found = ask(backend, prompts, SAMPLED, list(range(len(prompts))))
    most = backend.engine.llm_engine.vllm_config.scheduler_config.max_num_batched_tokens
    assert sum(one.prompt_tokens for one in found) > most
    assert ask(backend, prompts[-5:], SAMPLED, list(range(len(prompts)))[-5:]) == found[-5:]


def test_a_prompt_longer_than_the_engines_room_is_named_before_anything_is_asked(backend, row, conversations):
    long = [{"role": "user", "content": "capital " * row["max_model_len"]}]
    with pytest.raises(
        UserError, match=r"has \d+ tokens, and its engine has room for 512 .* raise engine.max_model_len"
    ):
        ask(backend, [*conversations, long], GREEDY)


def test_a_completion_that_might_find_no_more_room_is_not_asked_for(backend, row, texts):
    words = backend.tokenizer.encode(" ".join(texts["pl"]) * 20)[: row["max_model_len"] - 5]
    prompt = backend.tokenizer.decode(words, skip_special_tokens=True)
    with pytest.raises(UserError, match=r"its completion up to 100, and its engine has room for 512"):
        ask(backend, [prompt], Decoding(0.0, 1.0, 100))


def test_the_engine_was_started_with_the_rows_memory(backend, row):
    config = backend.engine.llm_engine.vllm_config
    assert config.model_config.max_model_len == row["max_model_len"]
    assert config.model_config.enforce_eager
    assert config.cache_config.gpu_memory_utilization == row["gpu_memory_utilization"]
    assert os.environ["VLLM_CPU_KVCACHE_SPACE"] == "1"
    assert Path(backend.merged.name, "model.safetensors").is_file() and ROOT not in Path(backend.merged.name).parents
