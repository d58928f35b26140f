"""Log-probabilities on a CPU, in place of TRL's kernel.

Off CUDA, TRL computes the logits of the prompts' tokens, too, and then throws them away; of the answers' tokens it
computes them twice, tile by tile, to save memory. Where they are few, once and whole is less than half the work.
"""

from typing import Any

import torch
import trl.trainer.utils as trl_utils

from refuseu.backends.token_logprobs import token_logprobs

MOST = 2**26  # logits at a time, a quarter of a gigabyte in single precision
LOGGED = {"entropy", "mean_logits", "is_top1"}

chunked = trl_utils._ChunkedLogProbFunction
needs_only_answers = trl_utils._use_triton


class Whole:
    """Stands in for TRL's function of the same signature; large vocabularies, other devices and outputs go to that."""

    @staticmethod
    def apply(
        hidden: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        targets: torch.Tensor,
        temperature: float,
        chunk_size: int,
        softcap: float | None = None,
        scale: float = 1.0,
        outputs: tuple[str, ...] = (),
    ) -> Any:
        small = hidden.device.type == "cpu" and len(hidden) * len(weight) <= MOST
        if not small or softcap is not None or scale != temperature or not {"log_probs", *LOGGED}.issuperset(outputs):
            return chunked.apply(hidden, weight, bias, targets, temperature, chunk_size, softcap, scale, outputs)
        log_probs, entropy, mean, top = token_logprobs(hidden, weight, bias, targets, bool(LOGGED & set(outputs)))
        return log_probs, entropy, None, mean, top


def install() -> None:
    """Let TRL's trainers score the answers alone, and on a CPU whole."""
    trl_utils._use_triton = lambda device: device.type == "cpu" or needs_only_answers(device)
    trl_utils._ChunkedLogProbFunction = Whole
