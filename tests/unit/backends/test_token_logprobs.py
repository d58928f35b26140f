"""Log-probabilities of tokens: those of log-softmax, with its gradients."""

import pytest
import torch
from torch.nn.functional import cross_entropy, linear

from refuseu.backends.token_logprobs import token_logprobs


@pytest.fixture
def given():
    """Hidden states, a head with a bias, and tokens, half of them the likeliest."""
    torch.manual_seed(1)
    hidden, weight, bias = (torch.randn(*shape, dtype=torch.float64) for shape in ((8, 5), (11, 5), (11,)))
    tokens = linear(hidden, weight, bias).topk(2).indices[:, 1]
    tokens[::2] = linear(hidden, weight, bias).argmax(1)[::2]
    return hidden, weight, bias, tokens


@pytest.mark.parametrize("logged", [False, True])
def test_they_are_those_of_log_softmax_and_stay_finite(given, logged):
    hidden, weight, bias, tokens = given
    found, entropy, mean, top = token_logprobs(hidden, weight, bias, tokens, logged)
    expected = linear(hidden, weight, bias).log_softmax(1)
    torch.testing.assert_close(-found.mean(), cross_entropy(linear(hidden, weight, bias), tokens), rtol=1e-12, atol=0)
    torch.testing.assert_close(found, expected.gather(1, tokens[:, None])[:, 0])
    assert top.tolist() == [True, False] * 4
    if logged:
        torch.testing.assert_close(entropy, -(expected.exp() * expected).sum(1))
        torch.testing.assert_close(mean, linear(hidden, weight, bias).mean(1))
    else:
        assert entropy is mean is None
    assert token_logprobs(1e4 * hidden.float(), weight.float(), bias.float(), tokens, logged)[0].isfinite().all()


@pytest.mark.parametrize("logged", [False, True])
def test_so_are_their_gradients(given, logged):
    *trained, tokens = given
    trained = [tensor.requires_grad_() for tensor in trained]
    assert torch.autograd.gradcheck(lambda *one: token_logprobs(*one, tokens, logged)[0], trained)
    differentiable, *beside = token_logprobs(*trained, tokens, logged)
    assert differentiable.requires_grad and not any(one.requires_grad for one in beside if one is not None)
    assert torch.autograd.gradcheck(lambda *one: token_logprobs(*one, None, tokens, logged)[0], trained[:2])


def test_in_half_precision_they_and_their_gradients_are_near(given):
    *single, tokens = given
    grown = {}
    for precision in (torch.float32, torch.bfloat16):
        leaves = [tensor.to(precision).requires_grad_() for tensor in single]
        found = token_logprobs(*leaves, tokens)[0]
        assert found.dtype == torch.float32
        found.sum().backward()
        grown[precision] = [found.detach(), *(leaf.grad.float() for leaf in leaves)]
        assert {leaf.grad.dtype for leaf in leaves} == {precision}
    torch.testing.assert_close(grown[torch.bfloat16], grown[torch.float32], atol=0.1, rtol=0.05)
