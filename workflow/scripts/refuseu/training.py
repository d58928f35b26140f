"""Preference training with TRL and PEFT: reference log-probabilities once per base, then one run per variant."""

import csv
import logging
import math
import os
import platform
import shutil
import time
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
import trl.trainer.dpo_trainer as trl_dpo
import trl.trainer.utils as trl_utils
from accelerate import PartialState
from accelerate.utils.fsdp_utils import fsdp2_prepare_model
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer, Trainer
from transformers.trainer_utils import get_last_checkpoint
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer
from trl.experimental.cpo import CPOConfig, CPOTrainer
from trl.experimental.orpo import ORPOConfig, ORPOTrainer

from refuseu.callbacks import Bar, Events
from refuseu.errors import UserError
from refuseu.journal import Journal
from refuseu.logprobs import REFERENCE, basis, join_reference
from refuseu.mlc import PREFIX, MLCMixin
from refuseu.recipes import OBJECTIVES, check_recipe
from refuseu.records import Record, digest
from refuseu.tokens import prompts_in_all_languages, token_digest, tokenise, totals

log = logging.getLogger("refuseu")

# Off CUDA, TRL computes the logits of the prompts' tokens, too, and then throws them away. On a CPU
# scoring the answers alone gives the same losses in less than half the time.
needs_only_answers = trl_utils._use_triton
trl_utils._use_triton = lambda device: device.type == "cpu" or needs_only_answers(device)
# TRL hashes all weights to name a cache of reference log-probabilities; ours come from a file.
trl_dpo.hash_module = lambda module: ""

REFERENCE_BATCH = 32  # pairs
LOG = {
    "step": "step",
    "epoch": "epoch",
    "loss": "loss",
    "rewards/margins": "reward_margin",
    "rewards/accuracies": "reward_accuracy",
    "mlc_loss": "mlc_loss",
    "singular_share": "singular_share",
    "cosine": "cosine",
    "grad_norm": "grad_norm",
    "learning_rate": "learning_rate",
}


class Guarded(Trainer):
    """What all objectives share: it stops on losses that are no numbers, and saves what it trained."""

    def _get_grad_norm(self, model, grad_norm=None):
        """Stop before the weights are touched; transformers leaves such losses out of its logs."""
        norm = super()._get_grad_norm(model, grad_norm)
        # With fp16 the scaler skips steps that overflow.
        if not self.args.fp16 and not math.isfinite(norm):
            raise UserError(
                f"the loss or its gradient is not a number at step {self.state.global_step + 1}; lower the learning "
                f"rate of the recipe (the last checkpoint before it is kept in {self.args.output_dir})"
            )
        return norm

    def save_model(self, output_dir=None, _internal_call=False):
        """Under FSDP, gather what was trained and no more: the base's weights may not fit into one process."""
        if not self.is_fsdp_enabled:
            return super().save_model(output_dir, _internal_call)
        trained = {
            name: parameter.full_tensor().cpu()
            for name, parameter in self.model.named_parameters()
            if parameter.requires_grad or name.startswith(PREFIX)
        }
        if self.args.should_save:
            self._save(output_dir, trained)


class TokenisedDPO(Guarded, DPOTrainer):
    """DPO on token ids, with the reference log-probabilities in the dataset's columns."""

    def _prepare_dataset(self, dataset, *_):
        return dataset

    def _precompute_ref_logps(self, dataset, *_):
        return dataset


class TokenisedSFT(Guarded, SFTTrainer):
    """Supervised fine-tuning; SFTTrainer takes token ids as they are."""


class TokenisedORPO(Guarded, ORPOTrainer):
    """ORPO on token ids."""

    tokenize_row = staticmethod(dict)


class TokenisedCPO(Guarded, CPOTrainer):
    """CPO on token ids; SimPO is one of its losses."""

    tokenize_row = staticmethod(dict)


TRAINERS = {
    "dpo": (TokenisedDPO, DPOConfig),
    "sft": (TokenisedSFT, SFTConfig),
    "orpo": (TokenisedORPO, ORPOConfig),
    "simpo": (TokenisedCPO, CPOConfig),
}


def reference(
    pairs: list[Record], base: dict[str, Any], settings: dict[str, Any], journal: str | Path, workdir: str | Path
) -> tuple[Record, list[Record], list[Record]]:
    """Reference log-probabilities of all pairs under one base; of what the journal holds, nothing is computed again.

    Parameters
    ----------
    base : a row of models.tsv as a dict
    settings : fields of the recipes on which they depend (`logprobs.SETTINGS`)
    journal : file of what was computed before
    workdir : scratch folder of the trainer

    Returns
    -------
    basis, rows, values : what `logprobs.write_reference` writes; values are sums over the answer's tokens

    Raises
    ------
    UserError
        If one of them is not finite.
    """
    config = trainer_config("dpo", settings, output_dir=str(workdir), gradient_checkpointing=False)
    processes, sharded = PartialState(), os.environ.get("ACCELERATE_USE_FSDP") == "true"
    tokenizer = load_tokenizer(base)
    rows, counts = tokenise(pairs, tokenizer, config.max_length)
    report(counts | totals(rows))
    found = basis(base, tokenizer, config)
    keys = [digest(found, token_digest(row)) for row in rows]

    def compute(missing: list[Record]) -> Iterator[tuple[int, Record]]:
        trainer = TokenisedDPO(
            load_model(base),
            args=config,
            train_dataset=Dataset.from_list(missing[:1]),
            processing_class=tokenizer,
            # With an adapter, which is off in this pass, TRL loads no second copy of the weights for FSDP.
            peft_config=LoraConfig(task_type="CAUSAL_LM", r=1, target_modules="all-linear") if sharded else None,
        )
        if sharded:
            trainer.model = fsdp2_prepare_model(trainer.accelerator, trainer.model)
        order = sorted(range(len(missing)), key=lambda index: -width(missing[index]))
        everyone = processes.num_processes
        for start in range(0, len(order), REFERENCE_BATCH * everyone):
            together = order[start : start + REFERENCE_BATCH * everyone]
            # Each process takes equally many, so that none waits for a pass that another does not make.
            indices = (together[processes.process_index :: everyone] + together[-1:])[: -(-len(together) // everyone)]
            batch = trainer._prepare_inputs(trainer.data_collator([missing[index] for index in indices]))
            values = trainer.compute_ref_log_probs(trainer.model, batch)
            columns = [torch.tensor(indices, device=values[0].device), *values]
            part = torch.stack([column.double() for column in columns], dim=1)
            table = {int(index): pair for index, *pair in trainer.accelerator.gather(part).tolist()}
            for index, (chosen, rejected) in table.items():
                if not math.isfinite(chosen + rejected):
                    raise UserError(
                        f"the reference log-probability of pair {missing[index]['pair_id']!r} under {base['model']!r} "
                        "is not a number; check its weights and dtype, or set bf16 of the recipes to false"
                    )
                yield index, dict(zip(REFERENCE, (chosen, rejected), strict=True))

    with processes.main_process_first():
        if not processes.is_main_process:  # knows what the first one knows, and keeps nothing
            own = Path(workdir) / f"{processes.process_index}.jsonl"
            journal = shutil.copy(journal, own) if Path(journal).exists() else own
        known = Journal(journal, base["model"])
    processes.wait_for_everyone()
    return found, rows, known.ask(rows, keys, compute)


def report(counts: dict[str, int]) -> None:
    """One line in the log."""
    log.info("%s", ", ".join(f"{name} {n}" for name, n in counts.items()))


def width(row: Record) -> int:
    """Tokens of the longer of a pair's two sequences."""
    return len(row["prompt_ids"]) + max(len(row["chosen_ids"]), len(row["rejected_ids"]))


def align(
    pairs: list[Record],
    base: dict[str, Any],
    run: dict[str, Any],
    reference: str | Path | None,
    translations: dict[str, dict[str, str]],
    checkpoints: str | Path,
    output: str | Path,
    events: str | Path,
) -> dict[str, Any]:
    """Train one adapter, resuming from the last whole checkpoint; return what the manifest records.

    Parameters
    ----------
    pairs, base, run, reference, translations, checkpoints : as in `prepare`
    output : folder of the adapter
    events : folder of the TensorBoard files
    """
    trainer, counts = prepare(pairs, base, run, reference, translations, checkpoints)
    processes = PartialState()
    with processes.main_process_first():
        if processes.is_main_process:
            drop_broken(trainer.args.output_dir)
    last = get_last_checkpoint(trainer.args.output_dir) if Path(trainer.args.output_dir).is_dir() else None
    done = int(Path(last).name.rpartition("-")[2]) if last else 0
    if processes.is_main_process:
        trainer.add_callback(Bar(Path(output).name))
        trainer.add_callback(Events(events, done))
    started = time.monotonic()
    trainer.train(resume_from_checkpoint=last)
    if trainer.state.global_step < trainer.state.max_steps:
        raise UserError(
            f"training stopped at step {trainer.state.global_step} of {trainer.state.max_steps}; run again to resume"
        )
    trainer.save_model(str(output))
    if processes.is_main_process:
        for file in Path(output).glob("*.safetensors"):
            file.chmod(0o644)  # safetensors writes 0600, which shared stores cannot read
        write_log(trainer.state.log_history, Path(output) / "log.csv")
    sides = ("chosen",) if run["method"].startswith("sft") else ("chosen", "rejected")
    per_epoch = sum(counts["prompt_tokens"] + counts[f"{side}_tokens"] for side in sides)
    return {
        **run,
        "base": {key: base[key] for key in ("model", "repository", "revision", "dtype")},
        "pairs": counts,
        "steps": trainer.state.global_step,
        "resumed_at_step": done,
        "tokens_seen": round(per_epoch * trainer.state.epoch),
        "seconds": round(time.monotonic() - started, 1),
        "processes": processes.num_processes,
        "hardware": torch.cuda.get_device_name()
        if torch.cuda.is_available()
        else platform.processor() or platform.machine(),
        "versions": {name: version(name) for name in ("torch", "transformers", "trl", "peft", "datasets")},
    }


def prepare(
    pairs: list[Record],
    base: dict[str, Any],
    run: dict[str, Any],
    reference: str | Path | None,
    translations: dict[str, dict[str, str]],
    checkpoints: str | Path,
) -> tuple[Trainer, dict[str, int]]:
    """The trainer of a run, ready to start, and how many pairs and tokens it has.

    Parameters
    ----------
    run : ``method`` (dpo, sft, orpo or simpo, with or without ``+mlc``), ``seed`` and ``recipe`` with the
        sections ``trainer``, ``lora`` (all weights are trained without it) and, for MLC, ``mlc``
    reference : what rule reference wrote (DPO)
    translations : pair_id → language → prompt (MLC)
    checkpoints : scratch folder; each run has a folder of its own in it, so that another recipe, base or
        set of pairs never resumes from these

    Raises
    ------
    UserError
        If the recipe has a key that the objective does not know, the reference is of another basis, or no
        pair is left.
    """
    method, recipe, seed = run["method"], run["recipe"], run["seed"]
    objective, _, consistent = method.partition("+")
    trainer_class = TRAINERS[objective][0]
    tokenizer = load_tokenizer(base)
    config = trainer_config(
        objective, recipe.get("trainer", {}), output_dir=str(checkpoints), seed=seed, data_seed=seed,
        save_total_limit=2, disable_tqdm=True,
    )  # fmt: skip
    share_batches(config)
    rows, counts = tokenise(pairs, tokenizer, config.max_length)
    if consistent:
        known = [row for row in rows if row["pair_id"] in translations]
        counts["dropped_untranslated"] = len(rows) - len(known)
        rows = [
            row | {"mlc_ids": ids}
            for row, ids in zip(known, prompts_in_all_languages(known, translations, tokenizer), strict=True)
        ]
        trainer_class = type("Consistent" + trainer_class.__name__, (MLCMixin, trainer_class), {"mlc": recipe["mlc"]})
    counts |= totals(rows)
    report(counts)
    if not rows:
        raise UserError(
            f"none of {len(pairs)} pairs is left to train on with {method}; the log says why, "
            "look at max_length of the recipe and at the log of translate_prompts"
        )
    found = basis(base, tokenizer, config)
    tokens = [[token_digest(row), row.get("mlc_ids")] for row in rows]
    same = digest(found, method, recipe, seed, PartialState().num_processes, tokens)
    config.output_dir = str(Path(checkpoints) / same[:16])
    if objective == "dpo":
        rows = join_reference(rows, reference, found)
    trainer = trainer_class(
        load_model(base),
        args=config,
        train_dataset=Dataset.from_list([COLUMNS[objective](row) for row in rows]),
        processing_class=tokenizer,
        peft_config=LoraConfig(task_type="CAUSAL_LM", **recipe["lora"]) if recipe.get("lora") else None,
    )
    return trainer, counts


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
    shared = {"report_to": "none", "use_cpu": not torch.cuda.is_available(), "ddp_find_unused_parameters": False}
    ours = shared | fixed | ours
    return config_class(**ours, **chosen)


def share_batches(config: Any) -> None:
    """Divide the accumulated batches among the processes, so that their number does not change the training.

    Raises
    ------
    UserError
        If they cannot be divided.
    """
    everyone = PartialState().num_processes
    if config.gradient_accumulation_steps % everyone:
        raise UserError(
            f"the recipe's trainer.gradient_accumulation_steps is {config.gradient_accumulation_steps}, which "
            f"{everyone} GPUs cannot share; choose a multiple of {everyone} (and a smaller per_device_train_batch_size)"
        )
    config.gradient_accumulation_steps //= everyone


def answers_only(prompt: Sequence[int], answer: Sequence[int]) -> list[int]:
    """Labels: the answer's tokens, −100 for the prompt's."""
    return [-100] * len(prompt) + list(answer)


def completion_columns(row: Record) -> Record:
    """A pair as SFTTrainer takes it: prompt and chosen answer."""
    ids = {
        "input_ids": row["prompt_ids"] + row["chosen_ids"],
        "labels": answers_only(row["prompt_ids"], row["chosen_ids"]),
    }
    return ids | {key: row[key] for key in ("mlc_ids",) if key in row}


def both_answers_columns(row: Record) -> Record:
    """A pair as ORPOTrainer and CPOTrainer take it: each answer after the prompt, and the prompt."""
    prompt = row["prompt_ids"]
    columns = {"prompt_input_ids": prompt, "prompt_attention_mask": [1] * len(prompt)}
    for side in ("chosen", "rejected"):
        whole = prompt + row[f"{side}_ids"]
        columns |= {
            f"{side}_input_ids": whole,
            f"{side}_attention_mask": [1] * len(whole),
            f"{side}_labels": answers_only(prompt, row[f"{side}_ids"]),
        }
    return columns | {key: row[key] for key in ("mlc_ids",) if key in row}


COLUMNS = {"dpo": dict, "sft": completion_columns, "orpo": both_answers_columns, "simpo": both_answers_columns}


def load_tokenizer(base: dict[str, Any]) -> Any:
    """Tokenizer of a base, with a padding token."""
    tokenizer = AutoTokenizer.from_pretrained(base["repository"], revision=pinned(base))
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_model(base: dict[str, Any]) -> Any:
    """Model of a base."""
    return AutoModelForCausalLM.from_pretrained(base["repository"], revision=pinned(base), dtype=base["dtype"])


def pinned(base: dict[str, Any]) -> str | None:
    """The commit of a hub model; None for a folder."""
    return None if base["revision"] == "local" else base["revision"]


def drop_broken(checkpoints: str | Path) -> None:
    """Remove checkpoints that a kill left half-written (their state file is written last)."""
    for folder in Path(checkpoints).glob("checkpoint-*"):
        if not (folder / "trainer_state.json").is_file():
            shutil.rmtree(folder)


def write_log(history: list[dict[str, Any]], path: Path) -> None:
    """The logged steps as CSV; columns that a method does not have stay empty."""
    with open(path, "w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(LOG.values()), lineterminator="\n")
        writer.writeheader()
        for row in history:
            if "loss" in row:
                writer.writerow({name: row.get(key, "") for key, name in LOG.items()})
