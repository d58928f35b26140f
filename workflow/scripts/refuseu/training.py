"""Preference training with TRL and PEFT: reference log-probabilities once per base, then one run per variant."""

import csv
import platform
import shutil
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
import trl.trainer.utils as trl_utils
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.trainer_utils import get_last_checkpoint
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer
from trl.experimental.cpo import CPOConfig, CPOTrainer
from trl.experimental.orpo import ORPOConfig, ORPOTrainer

from refuseu.callbacks import Bar, StopOnNaN
from refuseu.errors import UserError
from refuseu.mlc import MLCMixin
from refuseu.records import Record

# Off CUDA, TRL computes the logits of the prompts' tokens, too, and then throws them away. On a CPU
# scoring the answers alone gives the same losses in less than half the time.
needs_only_answers = trl_utils._use_triton
trl_utils._use_triton = lambda device: device.type == "cpu" or needs_only_answers(device)

REFERENCE = ["ref_chosen_logps", "ref_rejected_logps"]
LOG = {
    "step": "step",
    "epoch": "epoch",
    "loss": "loss",
    "rewards/margins": "reward_margin",
    "rewards/accuracies": "reward_accuracy",
    "mlc_loss": "mlc_loss",
    "cosine": "cosine",
    "learning_rate": "learning_rate",
}


class StoredReferenceDPOTrainer(DPOTrainer):
    """DPO that takes the reference log-probabilities from the dataset's columns."""

    def _precompute_ref_logps(self, dataset, name, batch_size):
        if set(REFERENCE) <= set(dataset.column_names):
            return dataset
        return super()._precompute_ref_logps(dataset, name, batch_size)


OBJECTIVES = {
    "dpo": (StoredReferenceDPOTrainer, DPOConfig, {"precompute_ref_log_probs": True}),
    "sft": (SFTTrainer, SFTConfig, {}),
    "orpo": (ORPOTrainer, ORPOConfig, {"remove_unused_columns": False}),
    "simpo": (
        CPOTrainer,
        CPOConfig,
        {"loss_type": "simpo", "cpo_alpha": 0.0, "remove_unused_columns": False},
    ),
}


def reference(pairs: list[Record], base: dict[str, Any], settings: dict[str, Any], workdir: str | Path) -> Dataset:
    """Reference log-probabilities of all pairs under one base.

    Parameters
    ----------
    base : a row of models.tsv as a dict
    settings : what they depend on beside the base: ``max_length``, ``bf16``

    Returns
    -------
    Dataset
        Columns ``pair_id``, ``ref_chosen_logps`` and ``ref_rejected_logps`` (sums over the answer's
        tokens); pairs whose prompt fills ``max_length`` are missing.
    """
    model, tokenizer = load_base(base)
    trainer = DPOTrainer(
        model,
        args=DPOConfig(
            output_dir=str(workdir),
            precompute_ref_log_probs=True,
            precompute_ref_batch_size=32,
            gradient_checkpointing=False,
            report_to="none",
            use_cpu=not torch.cuda.is_available(),
            **settings,
        ),
        train_dataset=preference_dataset(pairs),
        processing_class=tokenizer,
    )
    return trainer.train_dataset.select_columns(["pair_id", *REFERENCE])


def align(
    pairs: list[Record],
    base: dict[str, Any],
    method: str,
    recipe: dict[str, Any],
    seed: int,
    stored: dict[str, dict[str, float]],
    translations: dict[str, dict[str, str]],
    checkpoints: str | Path,
    output: str | Path,
) -> dict[str, Any]:
    """Train one adapter, resuming from the last whole checkpoint; return what the manifest records.

    Parameters
    ----------
    method : dpo, sft, orpo or simpo, with or without ``+mlc``
    recipe : sections ``trainer``, ``lora`` and, for MLC, ``mlc``
    stored : pair_id → reference log-probabilities (DPO)
    translations : pair_id → language → prompt (MLC)
    checkpoints : scratch folder, removed at the end
    output : folder of the adapter
    """
    objective, _, consistent = method.partition("+")
    trainer_class, config_class, fixed = OBJECTIVES[objective]
    model, tokenizer = load_base(base)
    if objective == "dpo":
        pairs = [pair | stored[pair["pair_id"]] for pair in pairs if pair["pair_id"] in stored]
    if consistent:
        pairs = [pair for pair in pairs if pair["pair_id"] in translations]
        trainer_class = type("Consistent" + trainer_class.__name__, (MLCMixin, trainer_class), {"mlc": recipe["mlc"]})
    if not pairs:
        raise UserError(
            f"no pair is left to train on with {method}; look at the logs of reference and translate_prompts"
        )
    dataset = preference_dataset(pairs) if objective != "sft" else completion_dataset(pairs)
    if consistent:
        dataset = dataset.add_column("mlc_ids", prompt_ids(pairs, translations, tokenizer))
    drop_broken(checkpoints)
    trainer = trainer_class(
        model,
        args=config_class(
            output_dir=str(checkpoints),
            seed=seed,
            data_seed=seed,
            save_total_limit=2,
            report_to="none",
            disable_tqdm=True,
            use_cpu=not torch.cuda.is_available(),
            **fixed,
            **recipe["trainer"],
        ),
        train_dataset=dataset,
        processing_class=tokenizer,
        peft_config=LoraConfig(task_type="CAUSAL_LM", **recipe["lora"]) if recipe.get("lora") else None,
        callbacks=[StopOnNaN(), Bar(Path(output).name)],
    )
    started = time.monotonic()
    trainer.train(resume_from_checkpoint=get_last_checkpoint(str(checkpoints)) if Path(checkpoints).is_dir() else None)
    if trainer.state.global_step < trainer.state.max_steps:
        raise UserError(
            f"training stopped at step {trainer.state.global_step} of {trainer.state.max_steps}; run again to resume"
        )
    trainer.save_model(str(output))
    for file in Path(output).glob("*.safetensors"):
        file.chmod(0o644)  # safetensors writes 0600, which shared stores cannot read
    write_log(trainer.state.log_history, Path(output) / "log.csv")
    shutil.rmtree(checkpoints, ignore_errors=True)
    return {
        "method": method,
        "recipe": recipe,
        "base": {key: base[key] for key in ("model", "repository", "revision", "dtype")},
        "seed": seed,
        "pairs": len(trainer.train_dataset),
        "steps": trainer.state.global_step,
        "tokens_seen": int(trainer.state.num_input_tokens_seen or 0),
        "seconds": round(time.monotonic() - started, 1),
        "hardware": torch.cuda.get_device_name()
        if torch.cuda.is_available()
        else platform.processor() or platform.machine(),
        "versions": {name: version(name) for name in ("torch", "transformers", "trl", "peft", "datasets")},
    }


def load_base(base: dict[str, Any]):
    """Model and tokenizer to train from."""
    revision = None if base["revision"] == "local" else base["revision"]
    tokenizer = AutoTokenizer.from_pretrained(base["repository"], revision=revision)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    model = AutoModelForCausalLM.from_pretrained(base["repository"], revision=revision, dtype=base["dtype"])
    return model, tokenizer


def preference_dataset(pairs: list[Record]) -> Dataset:
    """Prompt, chosen and rejected as conversations, with ids and reference columns where there are any."""
    keep = ["pair_id", *(column for column in REFERENCE if column in pairs[0])]
    return Dataset.from_list(
        [
            {"prompt": pair["chosen"][:-1], "chosen": pair["chosen"][-1:], "rejected": pair["rejected"][-1:]}
            | {key: pair[key] for key in keep}
            for pair in pairs
        ]
    )


def completion_dataset(pairs: list[Record]) -> Dataset:
    """Prompt and chosen answer, for supervised fine-tuning."""
    return Dataset.from_list([{"prompt": p["chosen"][:-1], "completion": p["chosen"][-1:]} for p in pairs])


def prompt_ids(pairs: list[Record], translations: dict[str, dict[str, str]], tokenizer: Any) -> list[list[list[int]]]:
    """Token ids of each prompt in all languages, up to the end of the generation header."""
    return [
        [
            tokenizer.apply_chat_template(
                [{"role": "user", "content": text}], add_generation_prompt=True, return_dict=False
            )
            for text in translations[pair["pair_id"]].values()
        ]
        for pair in pairs
    ]


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
