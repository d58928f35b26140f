"""Training of the miniature's models: what is left out changes nothing, and how a model grows."""

import torch
from torch.nn.functional import cross_entropy
from transformers import LlamaForCausalLM

from refuseu.miniature.models import answer_loss, collate, grown

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
    model, larger = grown(lively_model["repository"], None), grown(lively_model["repository"], 4)
    assert [len(one.model.layers) for one in (model, larger)] == [2, 4] and larger.config.num_hidden_layers == 4
    ids = torch.arange(20, 60)[None]
    torch.testing.assert_close(larger(ids).logits, model(ids).logits)
    answer_loss(larger, collate(ROWS, model.config.pad_token_id)).backward()
    for layer in larger.model.layers:
        assert layer.self_attn.o_proj.weight.grad.abs().max() > 0 and layer.mlp.down_proj.weight.grad.abs().max() > 0
