"""The multilingual consistency loss of arXiv 2602.16660, as a mixin over any trainer.

For a prompt and its translations, the hidden states of the last prompt token go through a linear
extractor and are scaled to unit length; the loss is low when the vectors of all languages are collinear.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.nn.parallel import DistributedDataParallel
from transformers import TrainerCallback

from refuseu.errors import UserError

Mixed: Any = object  # for a reader of types, the trainer that is mixed in
EXTRACTOR = "mlc_extractor.safetensors"
PREFIX = "mlc_extractor."
METRICS = ("mlc_loss", "singular_share", "cosine")


def consistency_loss(states: torch.Tensor, temperature: float, normalise: str) -> torch.Tensor:
    """−log softmax(σ/τ)₁ over the singular values of unit vectors, averaged over prompts.

    Parameters
    ----------
    states : (prompts, languages, dimension), any scale
    temperature : τ
    normalise : ``none`` is the paper's formula; ``by_first`` is the authors' code, which divides all
        singular values by the detached first one. A temperature does not carry over between the two.
    """
    sigma = singular_values(states)
    if normalise == "by_first":
        sigma = sigma / sigma[..., :1].detach()
    return -torch.log_softmax(sigma / temperature, dim=-1)[..., 0].mean()


def singular_values(states: torch.Tensor) -> torch.Tensor:
    """Of the unit vectors, in descending order; (prompts, languages, dimension) → (prompts, the smaller one)."""
    found: torch.Tensor = torch.linalg.svdvals(unit(states))
    return found


def singular_share(states: torch.Tensor) -> torch.Tensor:
    """The first singular value's share of their sum, averaged over prompts: 1 if all languages are collinear."""
    sigma = singular_values(states)
    return (sigma[..., 0] / sigma.sum(-1)).mean()


def unit(states: torch.Tensor) -> torch.Tensor:
    """Vectors of length one, at least in single precision."""
    return nn.functional.normalize(states if states.dtype == torch.float64 else states.float(), dim=-1)


def mean_cosine(states: torch.Tensor) -> torch.Tensor:
    """Mean cosine over all pairs of languages; (prompts, languages, dimension) → scalar."""
    units = unit(states)
    languages = units.shape[-2]
    cosines = units @ units.transpose(-1, -2)
    return (cosines.sum((-1, -2)) - languages).mean() / (languages * (languages - 1))


def last_states(model: nn.Module, ids: torch.Tensor, mask: torch.Tensor, layer: int) -> torch.Tensor:
    """Hidden state of the last token of right-padded prompts; (n, length) → (n, hidden).

    Only the prompts go through the model, only up to the layer, and without the LM head. Layers count as
    in ``hidden_states``: 0 is the embeddings, and the last, also −1, is after the final norm.
    """
    whole: Any = model
    body = whole.get_base_model().model if hasattr(model, "get_base_model") else whole.model
    with first_layers(body, layer):
        states = body(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
    last: torch.Tensor = states[torch.arange(len(ids), device=ids.device), mask.sum(-1) - 1]
    return last


@contextmanager
def first_layers(body: Any, layer: int) -> Iterator[None]:
    """Inside, the decoder ends after this layer, without its final norm unless the layer is the last."""
    layers, norm = body.layers, body.norm
    number = layer % (len(layers) + 1)
    if number < len(layers):
        body.layers, body.norm = layers[:number], nn.Identity()
    try:
        yield
    finally:
        body.layers, body.norm = layers, norm


class MLCMixin(Mixed):
    """Adds the consistency loss to a trainer's own; the dataset brings ``mlc_ids`` per row.

    Set ``mlc`` (the recipe's section) on the class before it is instantiated.

    Raises
    ------
    UserError
        If the model has no such layer.
    """

    mlc: dict[str, Any]
    data_collator: Any
    kept = (PREFIX,)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        hidden, last = self.model.config.hidden_size, self.model.config.num_hidden_layers
        if not -last - 1 <= self.mlc["layer"] <= last:
            raise UserError(
                f"the recipe's mlc.layer is {self.mlc['layer']}, but the base has {last} layers; choose a number from "
                f"0 (embeddings) to {last}, or -1 for the last"
            )
        device = next(self.model.parameters()).device
        extractor = nn.Linear(hidden, self.mlc["dimension"]).to(device)
        extractor.requires_grad_(self.mlc["extractor"] == "trained")
        # After super().__init__, or PEFT would freeze or adapt it.
        self.model.add_module("mlc_extractor", extractor)
        # Through the model's own forward, or DDP and FSDP would know nothing of this pass.
        self.model.forward = self._with_states(self.model.forward)
        self.add_callback(Rest(extractor, self.mlc["every"]))
        self.data_collator = WithPrompts(self.data_collator, self.processing_class.pad_token_id)
        self._mlc_metrics: dict[str, list[float]] = defaultdict(list)

    def _with_states(self, forward: Callable[..., Any]) -> Callable[..., Any]:
        """The model's forward, which given prompts of the loss returns (last states, what is extracted from them)."""
        model, layer = self.model, self.mlc["layer"]

        def forward_or_states(
            *args: Any, mlc_input_ids: Any = None, mlc_attention_mask: Any = None, **kwargs: Any
        ) -> Any:
            if mlc_input_ids is None:
                return forward(*args, **kwargs)
            raw = last_states(model, mlc_input_ids, mlc_attention_mask, layer)
            with torch.autocast(raw.device.type, enabled=False):
                return raw, model.mlc_extractor(raw.to(model.mlc_extractor.weight.dtype))

        return forward_or_states

    def _set_signature_columns_if_needed(self) -> None:
        super()._set_signature_columns_if_needed()
        if "mlc_ids" not in self._signature_columns:
            self._signature_columns += ["mlc_ids"]

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        ids, mask = inputs.pop("mlc_input_ids", None), inputs.pop("mlc_attention_mask", None)
        result = super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        loss, *outputs = result if return_outputs else (result,)
        if not model.training:  # held-out pairs, of which no prompt was translated
            return result
        if self.state.global_step % self.mlc["every"]:
            if isinstance(model, DistributedDataParallel):  # which waits for a gradient of every parameter
                loss = loss + 0.0 * sum(parameter.sum() for parameter in model.module.mlc_extractor.parameters())
            return (loss, *outputs) if return_outputs else loss
        prompts, languages, length = ids.shape
        with self.accelerator.autocast():
            raw, states = model(mlc_input_ids=ids.view(-1, length), mlc_attention_mask=mask.view(-1, length))
        raw, states = (part.view(prompts, languages, -1) for part in (raw, states))
        term = consistency_loss(states, self.mlc["temperature"], self.mlc["normalise"])
        # The extractor alone can minimise the loss; only the raw states show whether the model moved.
        values = torch.stack([term.detach(), singular_share(states.detach()), mean_cosine(raw.detach())])
        for name, value in zip(METRICS, self.accelerator.reduce(values, "mean").tolist(), strict=True):
            self._mlc_metrics[name].append(value)
        if num_items_in_batch is not None and getattr(self, "loss_is_scaled_for_ga", True) is not False:
            term = term / self.current_gradient_accumulation_steps
        loss = loss + self.mlc["lambda"] * term
        return (loss, *outputs) if return_outputs else loss

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        logs = logs | {key: sum(values) / len(values) for key, values in self._mlc_metrics.items() if values}
        self._mlc_metrics.clear()
        super().log(logs, *args, **kwargs)

    def _save(self, output_dir: str | None = None, state_dict: dict[str, torch.Tensor] | None = None) -> None:
        parts: dict[bool, dict[str, torch.Tensor]] = {True: {}, False: {}}
        for name, value in (state_dict or self.accelerator.unwrap_model(self.model).state_dict()).items():
            parts[name.startswith(PREFIX)][name.removeprefix(PREFIX)] = value
        super()._save(output_dir, parts[False])
        if self.args.should_save:
            extractor = {name: value.detach().cpu().contiguous() for name, value in parts[True].items()}
            save_file(extractor, Path(output_dir or self.args.output_dir) / EXTRACTOR)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: nn.Module | None = None) -> None:
        super()._load_from_checkpoint(resume_from_checkpoint, model)
        extractor: Any = (model or self.model).mlc_extractor
        stored = load_file(Path(resume_from_checkpoint) / EXTRACTOR)
        for name, parameter in extractor.named_parameters():
            if isinstance(parameter, DTensor):  # FSDP
                stored[name] = distribute_tensor(
                    stored[name].to(parameter.device), parameter.device_mesh, parameter.placements
                )
        extractor.load_state_dict(stored)


class Rest(TrainerCallback):
    """On steps without the loss the extractor stays as it is: momentum would move it by the zeros that DDP needs."""

    def __init__(self, extractor: nn.Module, every: int):
        self.extractor, self.every = extractor, every

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step % self.every:
            self.extractor.zero_grad()


class WithPrompts:
    """A collator that also pads the prompts of all languages, where the rows have them: (rows, languages, longest)."""

    def __init__(self, collator: Any, pad: int):
        self.collator, self.pad = collator, pad

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        prompts = [row["mlc_ids"] for row in rows if "mlc_ids" in row]
        batch: dict[str, torch.Tensor] = self.collator(
            [{k: v for k, v in row.items() if k != "mlc_ids"} for row in rows]
        )
        if not prompts:
            return batch
        longest = max(len(ids) for row in prompts for ids in row)
        batch["mlc_input_ids"] = torch.tensor(
            [[ids + [self.pad] * (longest - len(ids)) for ids in row] for row in prompts]
        )
        lengths = torch.tensor([[len(ids) for ids in row] for row in prompts])
        batch["mlc_attention_mask"] = (torch.arange(longest) < lengths[..., None]).long()
        return batch
