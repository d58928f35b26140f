"""The consistency loss, against an implementation of the formula in numpy and double precision."""

import math

import numpy as np
import pytest
import torch

from refuseu.training.mlc import WithPrompts, consistency_loss, last_states, mean_cosine, singular_share

SHAPES = [(3, 2, 8), (4, 4, 16), (2, 12, 32), (1, 12, 4), (5, 4, 4)]


def reference(states, temperature, normalise, first=None):
    """−log softmax(σ/τ)₁; `first` holds the divisor of by_first fixed."""
    losses = []
    for rows in np.asarray(states, dtype=np.float64):
        units = rows / np.sqrt((rows**2).sum(-1, keepdims=True))
        sigma = np.sqrt(np.maximum(np.linalg.eigvalsh(units @ units.T)[::-1], 0))[: min(units.shape)]
        if normalise == "by_first":
            sigma = sigma / (sigma[0] if first is None else first)
        logits = sigma / temperature
        losses.append(math.log(sum(math.exp(x - logits[0]) for x in logits)))
    return sum(losses) / len(losses)


def random(shape, seed=0, scale=1.0):
    return scale * np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize("normalise", ["none", "by_first"])
@pytest.mark.parametrize("temperature", [0.1, 0.2, 1.0])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_the_loss_is_the_papers_formula(shape, temperature, normalise, scale):
    states = random(shape, scale=scale)
    loss = consistency_loss(torch.tensor(states), temperature, normalise).item()
    assert loss == pytest.approx(reference(states, temperature, normalise), abs=1e-5)


@pytest.mark.parametrize("normalise", ["none", "by_first"])
def test_nearly_equal_languages_lose_as_little_as_the_formula_says(normalise):
    states = random((2, 1, 32)) + 0.05 * random((2, 12, 32), seed=1)
    loss = consistency_loss(torch.tensor(states), 0.2, normalise).item()
    assert loss == pytest.approx(reference(states, 0.2, normalise), abs=1e-5)
    assert loss < consistency_loss(torch.tensor(random((2, 12, 32))), 0.2, normalise).item()


@pytest.mark.parametrize("languages", [2, 4, 12])
def test_identical_languages_lose_what_the_other_singular_values_leave(languages):
    # Unit rows that are all equal have one singular value, the root of their number, and zeros.
    states = torch.ones(3, languages, 16)
    others = languages - 1
    for temperature in (0.2, 1.0):
        loss = consistency_loss(states, temperature, "none").item()
        assert loss == pytest.approx(math.log1p(others * math.exp(-math.sqrt(languages) / temperature)), abs=1e-5)
        loss = consistency_loss(states, temperature, "by_first").item()
        assert loss == pytest.approx(math.log1p(others * math.exp(-1 / temperature)), abs=1e-5)


@pytest.mark.parametrize("normalise", ["none", "by_first"])
def test_orthogonal_languages_lose_most(normalise):
    states = torch.eye(4)[None]  # four singular values of one
    assert consistency_loss(states, 0.2, normalise).item() == pytest.approx(math.log(4), abs=1e-5)


@pytest.mark.parametrize("normalise", ["none", "by_first"])
def test_the_sign_of_a_language_does_not_matter_but_its_direction_does(normalise):
    states = torch.tensor(random((2, 4, 8)))
    loss = consistency_loss(states, 0.2, normalise)
    turned = states * torch.tensor([1.0, -1.0, 1.0, -2.0])[:, None]
    torch.testing.assert_close(consistency_loss(turned, 0.2, normalise), loss)


@pytest.mark.parametrize("shape", [(2, 2, 4), (1, 4, 8), (1, 12, 6)])
def test_the_gradient_of_the_formula_is_right(shape):
    states = torch.tensor(random(shape), requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: consistency_loss(x, 0.5, "none"), states)


@pytest.mark.parametrize("shape", [(1, 2, 4), (1, 4, 8), (1, 12, 6)])
def test_the_first_singular_value_divides_without_a_gradient(shape):
    states = random(shape)
    tensor = torch.tensor(states, requires_grad=True)
    consistency_loss(tensor, 0.5, "by_first").backward()
    units = states[0] / np.linalg.norm(states[0], axis=-1, keepdims=True)
    first = np.linalg.svd(units, compute_uv=False)[0]
    for index in np.ndindex(shape):
        step = np.zeros(shape)
        step[index] = 1e-5
        slope = (
            reference(states + step, 0.5, "by_first", first) - reference(states - step, 0.5, "by_first", first)
        ) / 2e-5
        assert tensor.grad[index].item() == pytest.approx(slope, abs=1e-7)


@pytest.mark.parametrize("normalise", ["none", "by_first"])
def test_identical_languages_have_a_finite_gradient(normalise):
    states = torch.ones(1, 12, 16, requires_grad=True)
    consistency_loss(states, 0.2, normalise).backward()
    assert torch.isfinite(states.grad).all()


def test_half_precision_states_are_taken_in_single():
    states = torch.tensor(random((2, 4, 8))).bfloat16()
    assert consistency_loss(states, 0.2, "none").dtype == torch.float32


HALF = math.sqrt(0.5)


@pytest.mark.parametrize(
    ("rows", "share"),
    [
        ([[1, 0], [0, 1]], 0.5),
        ([[1, 0], [3, 0]], 1.0),
        ([[1, 0], [-2, 0]], 1.0),
        ([[2, 0, 0], [0, 3, 0], [0, 0, 1]], 1 / 3),
        # At cosine c the squares of the two singular values are 1 + c and 1 - c.
        ([[1, 0], [1, 1]], math.sqrt(1 + HALF) / (math.sqrt(1 + HALF) + math.sqrt(1 - HALF))),
    ],
)
def test_the_share_is_that_of_the_first_singular_value_of_unit_vectors(rows, share):
    assert singular_share(torch.tensor([rows], dtype=torch.float32)).item() == pytest.approx(share, abs=1e-6)
    both = torch.tensor([rows, [rows[0]] * len(rows)], dtype=torch.float32)
    assert singular_share(both).item() == pytest.approx((share + 1) / 2, abs=1e-6)


@pytest.mark.parametrize(
    ("rows", "cosine"),
    [
        ([[1, 0], [0, 1]], 0.0),
        ([[1, 0], [3, 0]], 1.0),
        ([[1, 0], [-1, 0]], -1.0),
        ([[1, 0], [1, 0], [-1, 0]], -1 / 3),
        ([[1, 0], [1, 1]], math.sqrt(0.5)),
        ([[3, 4], [4, 3]], 24 / 25),
    ],
)
def test_the_mean_cosine_is_over_pairs_of_languages(rows, cosine):
    assert mean_cosine(torch.tensor([rows], dtype=torch.float32)).item() == pytest.approx(cosine, abs=1e-6)
    both = torch.tensor([rows, [[1.0, 0.0]] * len(rows)], dtype=torch.float32)
    assert mean_cosine(both).item() == pytest.approx((cosine + 1) / 2, abs=1e-6)


def test_the_collator_pads_the_prompts_of_all_languages_to_the_right():
    collate = WithPrompts(lambda rows: {"n": len(rows), "keys": set().union(*rows)}, pad=9)
    rows = [{"x": 1, "mlc_ids": [[1, 2, 3], [4]]}, {"x": 2, "mlc_ids": [[5, 6], [7, 8]]}]
    batch = collate(rows)
    assert batch["mlc_input_ids"].tolist() == [[[1, 2, 3], [4, 9, 9]], [[5, 6, 9], [7, 8, 9]]]
    assert batch["mlc_attention_mask"].tolist() == [[[1, 1, 1], [1, 0, 0]], [[1, 1, 0], [1, 1, 0]]]
    assert (batch["n"], batch["keys"]) == (2, {"x"})
    assert rows[0]["mlc_ids"] == [[1, 2, 3], [4]]


@pytest.fixture(scope="module")
def model(tiny_model):
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(tiny_model["repository"], dtype=torch.float32).eval()


@pytest.mark.parametrize("layer", [-1, 0, 1, 2, -2, -3])
@torch.no_grad()
def test_the_last_state_does_not_depend_on_the_padding(model, layer):
    prompts = [[10, 11, 12, 13, 14], [20, 21], [30]]
    ids = torch.tensor([p + [5] * (5 - len(p)) for p in prompts])
    mask = torch.tensor([[1] * len(p) + [0] * (5 - len(p)) for p in prompts])
    together = last_states(model, ids, mask, layer)
    for row, prompt in enumerate(prompts):
        whole = model(torch.tensor([prompt]), output_hidden_states=True).hidden_states[layer][0, -1]
        torch.testing.assert_close(together[row], whole, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_the_last_layer_is_after_the_final_norm_and_works_under_an_adapter(model):
    from copy import deepcopy

    from peft import LoraConfig, get_peft_model

    ids, mask = torch.tensor([[10, 11, 12]]), torch.ones(1, 3, dtype=torch.long)
    expected = model.model(ids).last_hidden_state[0, -1]
    torch.testing.assert_close(last_states(model, ids, mask, -1)[0], expected)
    adapted = get_peft_model(deepcopy(model), LoraConfig(r=2, target_modules="all-linear", init_lora_weights=False))
    changed = last_states(adapted, ids, mask, -1)[0]
    assert not torch.allclose(changed, expected, atol=1e-4)


@pytest.mark.parametrize(("layer", "layers"), [(-1, [1, 1]), (2, [1, 1]), (1, [1, 0]), (0, [0, 0]), (-2, [1, 0])])
def test_prompts_go_once_and_together_up_to_the_layer_and_not_through_the_head(model, layer, layers):
    calls = []
    hooks = [
        module.register_forward_pre_hook(lambda module, arguments, name=name: calls.append(name))
        for name, module in model.named_modules()
        if name in ("model.embed_tokens", "lm_head", "model.layers.0", "model.layers.1")
    ]
    ids = torch.tensor([[10, 11, 12], [13, 14, 5], [15, 5, 5]])
    states = last_states(model, ids, torch.tensor([[1, 1, 1], [1, 1, 0], [1, 0, 0]]), layer)
    for hook in hooks:
        hook.remove()
    assert [calls.count(f"model.layers.{number}") for number in (0, 1)] == layers
    assert (calls.count("model.embed_tokens"), calls.count("lm_head")) == (1, 0)
    assert len(model.model.layers) == 2 and type(model.model.norm).__name__ == "LlamaRMSNorm"
    states.sum().backward()  # the layers are there again, and gradients reach them
    assert [int(x.self_attn.q_proj.weight.grad is not None) for x in model.model.layers] == layers
    model.zero_grad(set_to_none=True)
