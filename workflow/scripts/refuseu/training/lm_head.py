"""Log-probabilities on a CPU, in place of TRL's kernel.

Off CUDA, TRL computes the logits of the prompts' tokens, too, and then throws them away; of the answers' tokens it
computes them twice, tile by tile, to save memory. Where they are few, once and whole is less than half the work.
"""

from typing import Any

import torch
import trl.trainer.utils as trl_utils
from torch.nn.functional import linear

MOST = 2**26  # logits at a time, a quarter of a gigabyte in single precision
KNOWN = {"log_probs", "entropy", "mean_logits", "is_top1"}

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
        if not small or softcap is not None or scale != temperature or not KNOWN.issuperset(outputs):
            return chunked.apply(hidden, weight, bias, targets, temperature, chunk_size, softcap, scale, outputs)
        logits = linear(hidden, weight, bias).float()
        log_probs = logits.log_softmax(-1)
        with torch.no_grad():  # what is only logged
            entropy = -torch.linalg.vecdot(log_probs.exp(), log_probs) if "entropy" in outputs else None
            mean = logits.mean(-1) if "mean_logits" in outputs else None
            top = logits.argmax(-1) == targets if "is_top1" in outputs else None
        return log_probs.gather(-1, targets[:, None])[:, 0], entropy, None, mean, top


def install() -> None:
    """Let TRL's trainers score the answers alone, and on a CPU whole."""
    trl_utils._use_triton = lambda device: device.type == "cpu" or needs_only_answers(device)
    trl_utils._ChunkedLogProbFunction = Whole
