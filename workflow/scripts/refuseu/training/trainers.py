"""TRL's trainers on token ids, their configs, and the base they start from."""

import logging
import math
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import torch
import trl.trainer.dpo_trainer as trl_dpo
from torch.distributed.fsdp import FSDPModule
from torch.utils.data import SequentialSampler
from transformers import AutoModelForCausalLM, AutoTokenizer, Trainer
from transformers.trainer_pt_utils import LengthGroupedSampler
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer
from trl.experimental.cpo import CPOConfig, CPOTrainer
from trl.experimental.orpo import ORPOConfig, ORPOTrainer

from refuseu.asked import Asked
from refuseu.errors import UserError
from refuseu.recipes import OBJECTIVES, check_recipe, trackers
from refuseu.training import lm_head
from refuseu.weights import check_weights

log = logging.getLogger("refuseu")

lm_head.install()
# TRL hashes all weights to name a cache of reference log-probabilities; ours come from a file.
trl_dpo.hash_module = lambda module: ""
# For the same reason no second copy of the base is loaded, which TRL does where FSDP shards all weights.
trl_dpo.create_model_from_path = lambda *_, **__: None


class LengthGrouped(LengthGroupedSampler):
    """Batches of pairs of like length, in an order that epoch and seed alone make.

    transformers draws it from the global generator, so that a run that goes on within an epoch draws another: it would
    see pairs twice and others never.
    """

    def __init__(self, lengths: list[int], batch_size: int, seed: int):
        super().__init__(batch_size, lengths=lengths)
        self.seed, self.epoch = seed, 0

    def set_epoch(self, epoch: int) -> None:
        """As accelerate tells at the start of each epoch."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        self.generator = torch.Generator().manual_seed(self.seed + self.epoch)
        indices: Iterator[int] = super().__iter__()
        return indices


class Guarded(Trainer):
    """What all objectives share: it stops on losses that are no numbers, and saves what it trained."""

    kept: tuple[str, ...] = ()  # prefixes of what else is saved

    def __init__(self, *args: Any, **kwargs: Any):
        """With bf16 accelerate has FSDP round all that the model returns, log-probabilities among it."""
        super().__init__(*args, **kwargs)
        plugin = getattr(self.accelerator.state, "fsdp_plugin", None)
        if plugin and plugin.mixed_precision_policy:
            plugin.mixed_precision_policy = replace(plugin.mixed_precision_policy, output_dtype=None)

    def _get_grad_norm(self, model: Any, grad_norm: Any = None) -> Any:
        """Stop before the weights are touched; transformers leaves such losses out of its logs."""
        norm = super()._get_grad_norm(model, grad_norm)
        # With fp16 the scaler skips steps that overflow.
        if not self.args.fp16 and not math.isfinite(norm):
            raise UserError(
                f"the loss or its gradient is not a number at step {self.state.global_step + 1}; lower the learning "
                f"rate of the recipe (the last checkpoint before it is kept in {self.args.output_dir})"
            )
        return norm

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """Scoring held-out pairs takes no random number that the training would draw next."""
        with torch.random.fork_rng(devices=[]):
            return super().evaluate(*args, **kwargs)

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        """Of all columns: transformers asks after it has dropped DPO's ``length``, which is none of the model's."""
        sampler = super()._get_train_sampler(self.train_dataset)
        if isinstance(sampler, LengthGroupedSampler):
            return LengthGrouped(sampler.lengths, sampler.batch_size, self.args.data_seed)
        return sampler

    def _get_eval_sampler(self, eval_dataset: Any) -> Any:
        """In their order, whatever ``train_sampling_strategy`` is: that would draw, and needs columns of its own."""
        return SequentialSampler(eval_dataset)

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """Under FSDP, gather what was trained and no more: the base's weights may not fit into one process."""
        if not self.is_fsdp_enabled:
            super().save_model(output_dir, _internal_call)
            return
        for module in self.model.modules():
            if isinstance(module, FSDPModule):
                module.reshard()  # scoring held-out pairs leaves some weights whole
        trained = {}
        for name, parameter in self.model.named_parameters():
            if parameter.requires_grad or name.startswith(self.kept):
                whole = parameter.full_tensor()  # all processes take part, one keeps it
                if self.args.should_save:
                    trained[name] = whole.cpu()
        if self.args.should_save:
            self._save(output_dir, trained)


class TokenisedDPO(Guarded, DPOTrainer):
    """DPO on token ids, with the reference log-probabilities in the dataset's columns."""

    def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
        return dataset

    def _precompute_ref_logps(self, dataset: Any, *_: Any) -> Any:
        return dataset


class TokenisedSFT(Guarded, SFTTrainer):
    """Supervised fine-tuning; SFTTrainer takes token ids as they are."""


class TokenisedORPO(Guarded, ORPOTrainer):
    """ORPO on token ids."""

    tokenize_row: Any = staticmethod(dict)


class TokenisedCPO(Guarded, CPOTrainer):
    """CPO on token ids; SimPO is one of its losses."""

    tokenize_row: Any = staticmethod(dict)


TRAINERS = {
    "dpo": (TokenisedDPO, DPOConfig),
    "sft": (TokenisedSFT, SFTConfig),
    "orpo": (TokenisedORPO, ORPOConfig),
    "simpo": (TokenisedCPO, CPOConfig),
}


def trainer_config(objective: str, chosen: dict[str, Any], **ours: Any) -> Any:
    """The config of TRL's trainer: the recipe's section ``trainer``, and what the workflow sets.

    Raises
    ------
    UserError
        If a key of the recipe is not a field of it, is set by the workflow, or is text instead of a number.
    """
    check_recipe(objective, {"trainer": chosen}, "the recipe's")
    config_class, fixed = TRAINERS[objective][1], OBJECTIVES[objective][1]
    # DDP must not look for parameters without a gradient: the consistency loss takes a pass of its own.
    for name in trackers(chosen):
        if name != "none" and not find_spec(name):
            raise UserError(
                f"the recipe's trainer.report_to names {name!r}, a package that this environment does not have; "
                "install it there (pip install) or take it out"
            )
    shared = {"use_cpu": not torch.cuda.is_available(), "ddp_find_unused_parameters": False}
    ours = shared | fixed | ours
    return config_class(**ours, **{"report_to": "none"} | chosen)


def load_tokenizer(base: Asked) -> Any:
    """Tokenizer of a base, with a padding token."""
    tokenizer = AutoTokenizer.from_pretrained(base["repository"], revision=pinned(base))
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_model(base: Asked) -> Any:
    """Model of a base."""
    if pinned(base) is None:
        check_weights(base["repository"])
    return AutoModelForCausalLM.from_pretrained(
        base["repository"], revision=pinned(base), dtype=base["dtype"], use_safetensors=True
    )


def pinned(base: Asked) -> str | None:
    """The commit of a hub model; None for a folder."""
    return None if base["revision"] == "local" else base["revision"]


def log_counts(counts: dict[str, int]) -> None:
    """One line in the log."""
    log.info("%s", ", ".join(f"{name} {n}" for name, n in counts.items()))
