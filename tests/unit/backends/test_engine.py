"""The vLLM backend without vLLM (with it: tests/engine): what it is given, what is read, and merged weights.

Where an engine has to answer, one made of transformers stands in for it.
"""

import json
import sys
from types import SimpleNamespace

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from refuseu.backends import engine
from refuseu.backends.completion import Decoding
from refuseu.backends.local import Transformers
from refuseu.errors import UserError

GREEDY = Decoding(0.0, 1.0, 8)
JUDGING = Decoding(0.0, 1.0, 8, first_logprobs=True)
SAMPLED = Decoding(0.7, 0.9, 8)
PROMPTS = [[{"role": "user", "content": "What is " * n}] for n in (1, 5, 2, 9, 3)] + ["The stranger said:"]
SEEDS = [0] * len(PROMPTS)
ENGINE = {"gpu_memory_utilization": 0.8, "max_model_len": 512, "enforce_eager": True}
HUB = {"repository": "org/model", "revision": "a" * 40, "dtype": "bfloat16", "gpus": 4} | ENGINE


@torch.no_grad()
def test_merged_weights_on_disk_answer_as_the_adapter_on_its_base(tiny_model, adapter, tmp_path):
    engine.merge(tiny_model, adapter, tmp_path)
    merged = AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32)
    base = AutoModelForCausalLM.from_pretrained(tiny_model["repository"], dtype=torch.float32)
    ids = torch.arange(10, 40)[None]
    plain = base(ids).logits
    unmerged = PeftModel.from_pretrained(base, str(adapter))(ids).logits
    torch.testing.assert_close(merged(ids).logits, unmerged, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(plain, unmerged, atol=1e-2)
    assert {path.suffix for path in tmp_path.iterdir()} <= {".json", ".safetensors", ".jinja"}
    tokenizers = [AutoTokenizer.from_pretrained(folder) for folder in (tiny_model["repository"], tmp_path)]
    assert tokenizers[0].chat_template == tokenizers[1].chat_template
    assert tokenizers[0]("What")["input_ids"] == tokenizers[1]("What")["input_ids"]


def test_an_engine_is_started_with_what_the_row_says():
    shared = {"dtype": "bfloat16", "tensor_parallel_size": 4, "enable_prefix_caching": True, "max_logprobs": 20}
    shared |= {"gpu_memory_utilization": 0.8, "max_model_len": 64, "enforce_eager": True}
    pinned = {"model": "org/model", "revision": "a" * 40, "tokenizer_revision": "a" * 40}
    assert engine.engine_arguments(HUB, 64, None, None) == pinned | shared
    local = {"model": "a/folder", "revision": None, "tokenizer_revision": None}
    row = HUB | {"repository": "a/folder", "revision": "local"}
    assert engine.engine_arguments(row, 64, None, None) == local | shared
    assert engine.engine_arguments(HUB, 64, "adapter", "a/folder") == local | shared
    alone = shared | {"tensor_parallel_size": 1, "enable_chunked_prefill": False}
    assert engine.engine_arguments(HUB | {"gpus": 0}, 64, None, None) == pinned | alone


def test_the_room_of_the_config_cuts_no_completion_and_that_of_the_model_may(tiny_model):
    tokenizer, own = engine.load_tokenizer(tiny_model), engine.made_for(tiny_model)
    prompt = len(engine.token_ids(tokenizer, PROMPTS[0]))

    def check(room, new):
        engine.check_lengths(PROMPTS[:1], tokenizer, tiny_model | {"max_model_len": room}, new)

    check(prompt + 8, 8)
    with pytest.raises(UserError, match=f"room for {prompt + 8}; raise engine.max_model_len to {prompt + 9} or more"):
        check(prompt + 8, 9)
    with pytest.raises(UserError, match=f"has {prompt} tokens, and its engine has room for {prompt} with"):
        check(prompt, 1)
    check(own, own)
    check(own + 1, own)


@pytest.mark.parametrize(
    ("config", "rank"),
    [({"r": 1}, 1), ({"r": 4}, 8), ({"r": 16}, 16), ({"r": 17}, 32), ({"r": 8, "rank_pattern": {"q_proj": 100}}, 128),
     ({"r": 64, "rank_pattern": None}, 64), ({"r": 512}, 512)],
)  # fmt: skip
def test_the_rank_of_an_adapter_decides_what_the_engine_makes_room_for(tmp_path, config, rank):
    (tmp_path / "adapter_config.json").write_text(json.dumps(config))
    found = engine.engine_arguments(HUB, 64, tmp_path, None)
    assert (found["enable_lora"], found["max_lora_rank"], found["revision"]) == (True, rank, "a" * 40)


def test_a_rank_beyond_the_engines_largest_is_named(tmp_path):
    (tmp_path / "adapter_config.json").write_text('{"r": 600}')
    with pytest.raises(UserError, match=r"has rank 600, vLLM takes at most 512; set generation.adapters to merged"):
        engine.lora_rank(tmp_path)


def test_decoding_in_the_engines_words():
    assert engine.sampling_arguments(JUDGING, 5, [1, 2]) == {
        "temperature": 0.0, "top_p": 1.0, "max_tokens": 8, "seed": None, "logprobs": 20, "stop_token_ids": [1, 2],
    }  # fmt: skip
    assert engine.sampling_arguments(SAMPLED, 5, [1]) == {
        "temperature": 0.7, "top_p": 0.9, "max_tokens": 8, "seed": 5, "logprobs": None, "stop_token_ids": [1],
    }  # fmt: skip


def test_parity_is_a_matter_of_the_first_token():
    engine.check_parity([{"a": -0.1, "b": -3.0}, None], [{"a": -0.2, "b": -9.0}, {"c": 0.0}], "adapter")
    for theirs in ({"a": -0.6}, {"b": -0.1}, None):
        with pytest.raises(UserError, match="answers otherwise than merged weights"):
            engine.check_parity([{"a": -0.1, "b": -3.0}], [theirs], "adapter")


# With an engine that transformers runs


class StandIn:
    """Greedy answers in vLLM's form: token ids with their end, candidates by id."""

    started: list
    ignores_adapters = False

    def __init__(self, model, **arguments):
        StandIn.started.append({"model": model, **arguments})
        self.model = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
        self.given = []

    def generate(self, prompts, sampling, lora_request):
        self.given.append(len(prompts))
        model = self.model
        if lora_request and not self.ignores_adapters:
            model = PeftModel.from_pretrained(model, lora_request.path)
        return [self.one(model, prompt["prompt_token_ids"], one) for prompt, one in zip(prompts, sampling, strict=True)]

    @torch.no_grad()
    def one(self, model, prompt, sampling):
        tokens, steps, reason = [], [], "length"
        while len(tokens) < sampling.max_tokens and reason == "length":
            scores = torch.log_softmax(model(torch.tensor([prompt + tokens])).logits[0, -1], -1)
            best = scores.topk(sampling.logprobs or 1)
            steps.append({i.item(): SimpleNamespace(logprob=v.item()) for v, i in zip(*best, strict=True)})
            tokens.append(best.indices[0].item())
            reason = "stop" if tokens[-1] in sampling.stop_token_ids else "length"
        output = SimpleNamespace(token_ids=tokens, finish_reason=reason, logprobs=sampling.logprobs and steps)
        return SimpleNamespace(prompt_token_ids=prompt, outputs=[output])


@pytest.fixture
def vllm(monkeypatch):
    """A module in the place of vllm; gives what engines were started with."""
    StandIn.started = []
    requests = SimpleNamespace(LoRARequest=lambda name, number, path: SimpleNamespace(path=path))
    monkeypatch.setitem(sys.modules, "vllm", SimpleNamespace(LLM=StandIn, SamplingParams=SimpleNamespace))
    monkeypatch.setitem(sys.modules, "vllm.lora", SimpleNamespace(request=requests))
    monkeypatch.setitem(sys.modules, "vllm.lora.request", requests)
    return StandIn


def close(found, expected):
    """The same completions, with log-probabilities as near as floats are."""
    assert found.keys() == expected.keys()
    for index, one in expected.items():
        other = found[index]
        assert (other.text, other.finish_reason) == (one.text, one.finish_reason)
        assert (other.prompt_tokens, other.completion_tokens) == (one.prompt_tokens, one.completion_tokens)
        assert (other.first_logprobs is None) == (one.first_logprobs is None)
        if one.first_logprobs:
            best = max(one.first_logprobs, key=one.first_logprobs.get)
            assert other.first_logprobs[best] == pytest.approx(one.first_logprobs[best], abs=1e-4)


@pytest.mark.parametrize("decoding", [GREEDY, JUDGING])
def test_the_engine_and_transformers_are_read_alike(vllm, lively_model, monkeypatch, decoding):
    monkeypatch.setattr(engine, "CHUNK", 4)
    backend, other = engine.VLLM(lively_model | ENGINE, None), Transformers(lively_model, None, 4)
    # An end that some answers have: the second token of the first answer.
    [(_, first)] = other.complete(PROMPTS[:1], GREEDY, [0])
    end = other.tokenizer(first.text, add_special_tokens=False)["input_ids"][1]
    backend.ends, other.ends = [end], [end]
    found = dict(backend.complete(PROMPTS, decoding, SEEDS))
    close(found, dict(other.complete(PROMPTS, decoding, SEEDS)))
    assert {one.finish_reason for one in found.values()} >= {"length"}
    assert backend.engine.given == [4, 2]
    assert [started["model"] for started in vllm.started] == [lively_model["repository"]]


def test_an_adapter_is_merged_into_a_folder_that_goes_with_the_backend(vllm, lively_model, adapter):
    backend = engine.VLLM(lively_model | ENGINE, adapter)
    found = dict(backend.complete(PROMPTS, GREEDY, SEEDS))
    close(found, dict(Transformers(lively_model, adapter, 4).complete(PROMPTS, GREEDY, SEEDS)))
    [started] = vllm.started
    assert started["model"] == backend.merged.name and "enable_lora" not in started


def test_an_adapter_as_lora_is_held_against_merged_weights(vllm, lively_model, adapter, monkeypatch):
    row = lively_model | ENGINE | {"adapters": "lora"}
    backend = engine.VLLM(row, adapter)
    found = dict(backend.complete(PROMPTS, GREEDY, SEEDS))
    close(found, dict(Transformers(lively_model, adapter, 4).complete(PROMPTS, GREEDY, SEEDS)))
    [started] = vllm.started
    assert (started["model"], started["max_lora_rank"]) == (lively_model["repository"], 8)
    assert backend.engine.given == [engine.PARITY_PROMPTS, len(PROMPTS)]
    monkeypatch.setattr(vllm, "ignores_adapters", True)
    with pytest.raises(UserError, match="as LoRA answers otherwise than merged weights"):
        list(engine.VLLM(row, adapter).complete(PROMPTS, GREEDY, SEEDS))
