"""The multilingual consistency loss of arXiv 2602.16660, as a mixin over any trainer.

For a prompt and its translations, the hidden states of the last prompt token go through a linear
extractor and are scaled to unit length; the loss is low when the vectors of all languages are collinear.
"""

from collections import defaultdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn

EXTRACTOR = "mlc_extractor.safetensors"


def consistency_loss(states: torch.Tensor, temperature: float, normalise: str) -> torch.Tensor:
    """−log softmax(σ/τ)₁ over the singular values of unit vectors, averaged over prompts.

    Parameters
    ----------
    states : (prompts, languages, dimension), any scale
    temperature : τ
    normalise : ``none`` is the paper's formula; ``by_first`` is the authors' code, which divides all
        singular values by the detached first one. A temperature does not carry over between the two.
    """
    units = nn.functional.normalize(states.float(), dim=-1)
    sigma = torch.linalg.svdvals(units)
    if normalise == "by_first":
        sigma = sigma / sigma[..., :1].detach()
    return -torch.log_softmax(sigma / temperature, dim=-1)[..., 0].mean()


def mean_cosine(states: torch.Tensor) -> torch.Tensor:
    """Mean cosine over all pairs of languages; (prompts, languages, dimension) → scalar."""
    units = nn.functional.normalize(states.float(), dim=-1)
    languages = units.shape[-2]
    cosines = units @ units.transpose(-1, -2)
    return (cosines.sum((-1, -2)) - languages).mean() / (languages * (languages - 1))


def last_states(model: nn.Module, ids: torch.Tensor, mask: torch.Tensor, layer: int) -> torch.Tensor:
    """Hidden state of the last token of right-padded prompts; (n, length) → (n, hidden).

    Only the prompts go through the model, without the LM head. Layer −1 is after the final norm.
    """
    body = model.get_base_model().model if hasattr(model, "get_base_model") else model.model
    output = body(input_ids=ids, attention_mask=mask, use_cache=False, output_hidden_states=layer != -1)
    states = output.last_hidden_state if layer == -1 else output.hidden_states[layer]
    return states[torch.arange(len(ids)), mask.sum(-1) - 1]


class MLCMixin:
    """Adds the consistency loss to a trainer's own; the dataset brings ``mlc_ids`` per row.

    Set ``mlc`` (the recipe's section) on the class before it is instantiated.
    """

    mlc: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        hidden = self.model.config.hidden_size
        device = next(self.model.parameters()).device
        extractor = nn.Linear(hidden, self.mlc["dimension"]).to(device)
        extractor.requires_grad_(self.mlc["extractor"] == "trained")
        # After super().__init__, or PEFT would freeze or adapt it.
        self.model.add_module("mlc_extractor", extractor)
        self.data_collator = WithPrompts(self.data_collator, self.processing_class.pad_token_id)
        self._mlc_metrics: dict[str, list[float]] = defaultdict(list)

    def _set_signature_columns_if_needed(self) -> None:
        super()._set_signature_columns_if_needed()
        if "mlc_ids" not in self._signature_columns:
            self._signature_columns += ["mlc_ids"]

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        ids, mask = inputs.pop("mlc_input_ids"), inputs.pop("mlc_attention_mask")
        result = super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        if not model.training or self.state.global_step % self.mlc["every"]:
            return result
        prompts, languages, length = ids.shape
        states = last_states(
            self.accelerator.unwrap_model(model),
            ids.view(-1, length),
            mask.view(-1, length),
            self.mlc["layer"],
        )
        term = consistency_loss(
            model.mlc_extractor(states.to(model.mlc_extractor.weight.dtype)).view(prompts, languages, -1),
            self.mlc["temperature"],
            self.mlc["normalise"],
        )
        # The extractor alone can minimise the loss; only the raw states show whether the model moved.
        self._mlc_metrics["mlc_loss"].append(term.item())
        self._mlc_metrics["cosine"].append(mean_cosine(states.detach().view(prompts, languages, -1)).item())
        loss, *outputs = result if return_outputs else (result,)
        if num_items_in_batch is not None and getattr(self, "loss_is_scaled_for_ga", True) is not False:
            term = term / self.current_gradient_accumulation_steps
        loss = loss + self.mlc["lambda"] * term
        return (loss, *outputs) if return_outputs else loss

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        logs = logs | {key: sum(values) / len(values) for key, values in self._mlc_metrics.items() if values}
        self._mlc_metrics.clear()
        super().log(logs, *args, **kwargs)

    def _save(self, output_dir: str | None = None, state_dict: dict | None = None) -> None:
        extractor = self.accelerator.unwrap_model(self.model).mlc_extractor
        super()._save(output_dir, state_dict)
        folder = Path(output_dir or self.args.output_dir)
        save_file({k: v.detach().cpu().contiguous() for k, v in extractor.state_dict().items()}, folder / EXTRACTOR)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: nn.Module | None = None) -> None:
        super()._load_from_checkpoint(resume_from_checkpoint, model)
        (model or self.model).mlc_extractor.load_state_dict(load_file(Path(resume_from_checkpoint) / EXTRACTOR))


class WithPrompts:
    """A collator that also pads the prompts of all languages: (rows, languages, longest)."""

    def __init__(self, collator: Any, pad: int):
        self.collator, self.pad = collator, pad

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        prompts = [row["mlc_ids"] for row in rows]
        batch = self.collator([{k: v for k, v in row.items() if k != "mlc_ids"} for row in rows])
        longest = max(len(ids) for row in prompts for ids in row)
        batch["mlc_input_ids"] = torch.tensor(
            [[ids + [self.pad] * (longest - len(ids)) for ids in row] for row in prompts]
        )
        lengths = torch.tensor([[len(ids) for ids in row] for row in prompts])
        batch["mlc_attention_mask"] = (torch.arange(longest) < lengths[..., None]).long()
        return batch
