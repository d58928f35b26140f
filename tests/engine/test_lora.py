"""A real engine with an adapter as LoRA: checked against merged weights, and the same completions."""

import shutil

import pytest
from safetensors.torch import load_file, save_file

from refuseu.backends.completion import Decoding
from refuseu.backends.engine import PARITY_DECODING, VLLM, check_parity
from refuseu.backends.local import Transformers
from refuseu.errors import UserError

GREEDY = Decoding(0.0, 1.0, 24)


@pytest.fixture(scope="module")
def backend(lively_model, adapter):
    backend = VLLM(lively_model | {"adapters": "lora"}, adapter)
    yield backend
    backend.close()


def test_with_lora_greedy_completions_are_those_of_merged_weights(backend, lively_model, adapter, conversations):
    seeds = [0] * len(conversations)
    found = dict(backend.complete(conversations, GREEDY, seeds))  # its first prompts pass the parity check
    expected = dict(Transformers(lively_model, adapter, 8).complete(conversations, GREEDY, seeds))
    same = [found[index].text == expected[index].text for index in expected]
    assert sum(same) >= 0.95 * len(same)
    bare = dict(Transformers(lively_model, None, 8).complete(conversations, GREEDY, seeds))
    assert sum(found[index].text == bare[index].text for index in bare) < len(bare) / 2


def test_another_adapter_does_not_pass_for_the_loaded_one(backend, lively_model, adapter, conversations, tmp_path):
    other = tmp_path / "adapter"
    shutil.copytree(adapter, other)
    weights = load_file(other / "adapter_model.safetensors")
    save_file({name: -2 * tensor for name, tensor in weights.items()}, other / "adapter_model.safetensors")
    asked, seeds = conversations[:8], [0] * 8
    expected = dict(Transformers(lively_model, other, 8).complete(asked, PARITY_DECODING, seeds))
    with pytest.raises(UserError, match="as LoRA answers otherwise than merged weights"):
        check_parity([expected[n].first_logprobs for n in range(8)], backend._first(asked), str(other))
