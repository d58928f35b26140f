"""Log-probabilities of tokens under a head, with a gradient that costs no more than they do."""

from collections.abc import Callable
from typing import Any

import torch
from torch.nn.functional import linear

Found = tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None, torch.Tensor]


class TokenLogProbs(torch.autograd.Function):
    """Log-probabilities of tokens, and what is logged beside them.

    Probabilities are all that is made and kept of the vocabulary's width: less their tokens, they are the gradient.
    Autograd would go over logits, log-probabilities and two gradients of that width.
    """

    @staticmethod
    def forward(
        ctx: Any,
        hidden: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        tokens: torch.Tensor,
        logged: bool = False,
    ) -> Found:
        """Of each token its log-probability, the entropy, the mean of the logits, and whether no other is likelier.

        Parameters
        ----------
        hidden : (tokens, width)
        weight, bias : of the head, (vocabulary, width) and (vocabulary)
        tokens : ids, (tokens)
        logged : whether entropy [nat] and mean are wanted; without, they are None
        """
        logits = linear(hidden, weight, bias)
        precision = logits.dtype
        logits = logits.to(torch.promote_types(precision, torch.float32))
        mean = logits.mean(1) if logged else None
        logits -= logits.amax(1, keepdim=True)
        chosen = logits.gather(1, tokens[:, None])
        weights = logits.exp() if logged else logits.exp_()
        totals = weights.sum(1, keepdim=True)
        log_totals = totals.log()
        log_probs = chosen[:, 0] - log_totals[:, 0]
        entropy = log_totals[:, 0] - torch.einsum("tv,tv->t", weights, logits) / totals[:, 0] if logged else None
        errors = weights.div_(totals).scatter_add_(1, tokens[:, None], torch.full_like(chosen, -1)).to(precision)
        ctx.save_for_backward(hidden, weight, bias, errors)
        top = chosen[:, 0] == 0
        ctx.mark_non_differentiable(*(one for one in (entropy, mean, top) if one is not None))
        return log_probs, entropy, mean, top

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor, *_: Any) -> tuple[torch.Tensor | None, ...]:
        hidden, weight, bias, errors = ctx.saved_tensors
        share = -gradient[:, None].to(errors.dtype)
        shared = hidden.to(errors.dtype) * share
        return (
            (errors @ weight.to(errors.dtype) * share).to(hidden.dtype) if ctx.needs_input_grad[0] else None,
            (errors.T @ shared).to(weight.dtype) if ctx.needs_input_grad[1] else None,
            (errors.T @ share)[:, 0].to(bias.dtype) if ctx.needs_input_grad[2] else None,
            None,
            None,
        )


token_logprobs: Callable[..., Found] = TokenLogProbs.apply
