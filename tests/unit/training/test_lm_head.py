"""Log-probabilities on a CPU: those of TRL's kernel, and its gradients."""

import pytest
import torch

from refuseu.training import lm_head

OUTPUTS = ("log_probs", "entropy", "mean_logits", "is_top1")


def both(monkeypatch, most=lm_head.MOST):
    """(what is found, gradients) of the stand-in and of TRL's function."""
    monkeypatch.setattr(lm_head, "MOST", most)
    torch.manual_seed(1)
    states, weights = torch.randn(40, 16), torch.randn(300, 16)
    targets = (states @ weights.T).topk(2).indices[:, 1]
    targets[::3] = (states @ weights.T).argmax(-1)[::3]
    for function in (lm_head.Whole, lm_head.chunked):
        leaves = [states.clone().requires_grad_(), weights.clone().requires_grad_()]
        found = function.apply(*leaves, None, targets, 1.0, 64, None, 1.0, OUTPUTS)
        (found[0] * torch.linspace(-1, 1, 40)).sum().backward()
        yield found, [leaf.grad for leaf in leaves]


@pytest.mark.parametrize("most", [lm_head.MOST, 0], ids=["whole", "in tiles"])
def test_values_and_gradients_are_those_of_trl(monkeypatch, most):
    (found, own), (expected, theirs) = both(monkeypatch, most)
    torch.testing.assert_close(own, theirs)
    assert found[2] is expected[2] is None
    for mine, other in zip(found, expected, strict=True):
        assert mine is other or torch.allclose(mine.float(), other.float(), atol=1e-4)
    assert 0 < found[4].sum() < 40
