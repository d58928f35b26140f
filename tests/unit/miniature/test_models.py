"""Training of the miniature's models: what is left out changes nothing, and how a model grows."""

import pytest
import torch
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM, AutoTokenizer, Gemma3ForCausalLM, Gemma3TextConfig, LlamaForCausalLM

from refuseu.errors import UserError
from refuseu.miniature.models import answer_loss, begun, collate, encode, grown, train
from refuseu.miniature.tasks import Example

ROWS = [
    {"input_ids": list(range(20, 20 + length)), "labels": [-100] * asked + list(range(20 + asked, 20 + length))}
    for length, asked in ((12, 5), (30, 29), (7, 1))
]


def gradients(model, loss):
    model.zero_grad()
    loss.backward()
    return [weights.grad for weights in model.parameters()]


def test_the_loss_is_that_of_the_whole_model_and_so_are_its_gradients(lively_model):
    model = LlamaForCausalLM.from_pretrained(lively_model["repository"], dtype=torch.float64)
    batch = collate(ROWS, model.config.pad_token_id)
    lengths = torch.tensor([len(row["input_ids"]) for row in ROWS])
    mask = (torch.arange(30) < lengths[:, None]).long()
    logits = model(batch["input_ids"], attention_mask=mask).logits[:, :-1]
    expected = cross_entropy(logits.flatten(0, 1), batch["labels"][:, 1:].flatten())
    found = answer_loss(model, batch)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(gradients(model, found), gradients(model, expected))


def test_a_model_that_has_grown_says_the_same_and_all_of_it_learns(lively_model):
    torch.manual_seed(1)
    model, larger = begun(lively_model["repository"]), grown(lively_model["repository"], 4)
    assert [len(one.model.layers) for one in (model, larger)] == [2, 4] and larger.config.num_hidden_layers == 4
    ids = torch.arange(20, 60)[None]
    torch.testing.assert_close(larger(ids).logits, model(ids).logits)
    answer_loss(larger, collate(ROWS, model.config.pad_token_id)).backward()
    for layer in larger.model.layers:
        assert layer.self_attn.o_proj.weight.grad.abs().max() > 0 and layer.mlp.down_proj.weight.grad.abs().max() > 0


@pytest.fixture(scope="module")
def gemma(tiny_model, tmp_path_factory):
    """A Gemma 3 with random weights, and the tiny model's tokenizer."""
    folder = tmp_path_factory.mktemp("gemma")
    tokenizer = AutoTokenizer.from_pretrained(tiny_model["repository"])
    tokenizer.save_pretrained(folder)
    torch.manual_seed(3)
    config = Gemma3TextConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, head_dim=16, sliding_window=8, final_logit_softcapping=5.0, pad_token_id=0,
    )  # fmt: skip
    Gemma3ForCausalLM(config).save_pretrained(folder)
    return folder


def test_the_loss_is_that_of_the_whole_model_in_other_architectures_too(gemma):
    model = AutoModelForCausalLM.from_pretrained(gemma, dtype=torch.float64)
    batch = collate(ROWS, 0)
    expected = 0.0
    for row in ROWS:  # one by one, without padding
        logits = model(torch.tensor([row["input_ids"]])).logits[0, :-1]
        expected = expected + cross_entropy(logits, torch.tensor(row["labels"][1:]), reduction="sum")
    expected = expected / (batch["labels"][:, 1:] != -100).sum()
    found = answer_loss(model, batch)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(gradients(model, found), gradients(model, expected))


EXAMPLES = [Example([{"role": "user", "content": "Hello"}], "Good day"), Example("Answer:", " A")] * 4
SPEC = {"learning_rate": 0.01, "batch": 2, "warm_up": 1, "lora": {"r": 4}}


def test_adapters_are_merged_and_embeddings_and_head_stay_as_they_were(gemma, tmp_path):
    tokenizer = AutoTokenizer.from_pretrained(gemma)
    train(EXAMPLES, tokenizer, SPEC, gemma, seed=1, brought=True).save_pretrained(tmp_path)
    before, after = (AutoModelForCausalLM.from_pretrained(one).state_dict() for one in (gemma, tmp_path))
    assert before.keys() == after.keys()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed and all("proj" in name for name in changed)
    again = train(EXAMPLES, tokenizer, SPEC, gemma, seed=1, brought=True).state_dict()
    assert all(torch.equal(again[name], after[name]) for name in after)


def test_an_answer_ends_as_the_chat_template_ends_a_turn_and_raw_text_begins_as_the_model_is_used_to(gemma):
    tokenizer = AutoTokenizer.from_pretrained(gemma)
    chat, raw = encode(EXAMPLES[:2], tokenizer, brought=True)
    assert tokenizer.convert_ids_to_tokens(chat["labels"][-1]) == "<|eot_id|>"
    assert chat["input_ids"].count(tokenizer.bos_token_id) == raw["input_ids"].count(tokenizer.bos_token_id) == 1
    assert encode(EXAMPLES[1:2], tokenizer)[0]["input_ids"] == raw["input_ids"][1:]


def test_without_a_chat_template_one_sentence_says_what_is_missing(gemma):
    tokenizer = AutoTokenizer.from_pretrained(gemma)
    tokenizer.chat_template = None
    with pytest.raises(UserError, match="what mine starts from has no chat template"):
        train(EXAMPLES, tokenizer, SPEC, gemma, seed=1, what="mine")
