"""Training of one variant: a trainer with its data, resumed where it was cut, and what it leaves behind."""

import logging
import math
import shutil
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from datasets import Dataset
from peft import LoraConfig
from transformers import Trainer
from transformers.trainer_utils import get_last_checkpoint

from refuseu.asked import Asked
from refuseu.errors import UserError
from refuseu.job.manifest import processor
from refuseu.records import Record, digest
from refuseu.rows import Pair
from refuseu.training.callbacks import Bar, Clock, Events
from refuseu.training.logprobs import basis, join_reference
from refuseu.training.tokens import Tokens, prompts_in_all_languages, token_digest, tokenise, totals, width
from refuseu.training.told import final_margin, hardly_moved, last_scores, write_log
from refuseu.training.trainers import TRAINERS, load_model, load_tokenizer, log_counts, trainer_config

WEIGHTS = "weights"  # folder of a whole model, beside its log
HeldOut = tuple[Sequence[Pair], str | Path | None]  # pairs, and what rule reference wrote of them (DPO)
NONE: HeldOut = ((), None)
log = logging.getLogger("refuseu")


def align(
    pairs: Sequence[Pair],
    base: Asked,
    run: dict[str, Any],
    reference: str | Path | None,
    translations: dict[str, dict[str, str]],
    checkpoints: str | Path,
    output: str | Path,
    events: str | Path,
    held_out: HeldOut = NONE,
) -> dict[str, Any]:
    """Train one adapter, or all weights, resuming from the last whole checkpoint; return what the manifest records.

    Parameters
    ----------
    pairs, base, run, reference, translations, checkpoints, held_out : as in `prepare`
    output : folder of the adapter, or of the folder `WEIGHTS` of the whole model
    events : folder of the TensorBoard files
    """
    trainer, counts = prepare(pairs, base, run, reference, translations, checkpoints, held_out)
    trainer.args.run_name = trainer.args.run_name or Path(output).name  # for `report_to`
    processes = PartialState()
    with processes.main_process_first():
        if processes.is_main_process:
            drop_broken(trainer.args.output_dir)
    last = get_last_checkpoint(trainer.args.output_dir) if Path(trainer.args.output_dir).is_dir() else None
    done = int(Path(last).name.rpartition("-")[2]) if last else 0
    if processes.is_main_process:
        trainer.add_callback(Bar(Path(output).name))
        trainer.add_callback(Events(events, done))
    trainer.add_callback(clock := Clock())
    trainer.train(resume_from_checkpoint=last)
    if trainer.state.global_step < trainer.state.max_steps:
        raise UserError(
            f"training stopped at step {trainer.state.global_step} of {trainer.state.max_steps}; run again to resume"
        )
    save(trainer, base, output, whole=not run["recipe"].get("lora"))
    history = trainer.state.log_history
    margin = final_margin(history)
    warning = hardly_moved(run["method"], margin)
    if processes.is_main_process:
        write_log(history, Path(output) / "log.csv")
        if warning:
            log.warning("%s", warning)
    sides = ("chosen",) if run["method"].startswith("sft") else ("chosen", "rejected")
    pairs_once = sum(counts["prompt_tokens"] + counts[f"{side}_tokens"] for side in sides)
    per_epoch = pairs_once + consistency_tokens(counts, run, trainer.state.max_steps)
    return {
        **run,
        "base": {key: base[key] for key in ("model", "repository", "revision", "dtype")},
        "pairs": counts,
        "trained_parameters": sum(p.numel() for p in trainer.model.parameters() if p.requires_grad),
        "steps": trainer.state.global_step,
        "reward_margin": margin,
        "warning": warning,
        "held_out": last_scores(history),
        "resumed_at_step": done,
        "tokens_seen": round(per_epoch * trainer.state.epoch),
        "reference_tokens": pairs_once if run["method"].startswith("dpo") else 0,  # in rule reference, once
        "seconds": round(clock.seconds, 1),
        "processes": processes.num_processes,
        "gpus": processes.num_processes if torch.cuda.is_available() else 0,
        "hardware": torch.cuda.get_device_name() if torch.cuda.is_available() else processor(),
        "versions": {name: version(name) for name in ("torch", "transformers", "trl", "peft", "datasets")},
    }


def save(trainer: Trainer, base: Asked, output: str | Path, whole: bool) -> None:
    """Save what was trained: the adapter; or the whole model, in the precision of its base and nothing beside it."""
    folder = Path(output, WEIGHTS) if whole else Path(output)
    if whole:
        trainer.model.to(getattr(torch, base["dtype"], torch.float32))
    trainer.save_model(str(folder))
    if not PartialState().is_main_process:
        return
    for file in folder.glob("*.safetensors"):
        file.chmod(0o644)  # safetensors writes 0600, which shared stores cannot read
    if whole:
        (folder / "training_args.bin").unlink()  # a pickle, and in the manifest
        for file in folder.glob("mlc_extractor.*"):  # engines would take it for a part of the model
            file.rename(Path(output, file.name))


def consistency_tokens(counts: dict[str, int], run: dict[str, Any], steps: int) -> float:
    """Tokens that the consistency loss reads per epoch: its prompts, on the steps on which it is applied."""
    if "mlc_prompt_tokens" not in counts:
        return 0.0
    applied = math.ceil(steps / int(run["recipe"]["mlc"]["every"]))
    return counts["mlc_prompt_tokens"] * applied / steps


def prepare(
    pairs: Sequence[Pair],
    base: Asked,
    run: dict[str, Any],
    reference: str | Path | None,
    translations: dict[str, dict[str, str]],
    checkpoints: str | Path,
    held_out: HeldOut = NONE,
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
    held_out : scored on the way where the recipe has ``eval_strategy``; nothing is chosen by the scores

    Raises
    ------
    UserError
        If the recipe has a key that the objective does not know, the reference is of another basis, or no
        pair is left.
    """
    method, recipe, seed = run["method"], run["recipe"], run["seed"]
    objective, _, consistent = method.partition("+")
    trainer_class: Any = TRAINERS[objective][0]
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
            {**row, "mlc_ids": ids}
            for row, ids in zip(known, prompts_in_all_languages(known, translations, tokenizer), strict=True)
        ]
        from refuseu.training.mlc import MLCMixin  # what a run without it need not know

        trainer_class = type("Consistent" + trainer_class.__name__, (MLCMixin, trainer_class), {"mlc": recipe["mlc"]})
    counts |= totals(rows)
    log_counts(counts)
    if not rows:
        raise UserError(
            f"none of {len(pairs)} pairs is left to train on with {method}; the log says why, "
            "look at max_length of the recipe and at the log of translate_prompts"
        )
    found = basis(base, tokenizer, config)
    tokens = [[token_digest(row), row.get("mlc_ids")] for row in rows]
    same = digest(found, method, recipe, seed, PartialState().num_processes, tokens)
    config.output_dir = str(Path(checkpoints) / same[:16])
    scored, counted = tokenise(held_out[0], tokenizer, config.max_length)
    if held_out[0]:
        counts["held_out"] = counted["pairs"]
        counts["held_out_kept"] = len(scored)
    if objective == "dpo":
        assert reference  # the rule hands it over
        rows = join_reference(rows, reference, found)
        scored = join_reference(scored, held_out[1], found) if held_out[1] else []
    trainer = trainer_class(
        # All weights are trained in single precision: in half precision small steps are rounded away.
        load_model(base if recipe.get("lora") else {**base, "dtype": "float32"}),
        args=config,
        train_dataset=dataset(objective, rows),
        eval_dataset=dataset(objective, scored) if scored else None,
        processing_class=tokenizer,
        peft_config=LoraConfig(task_type="CAUSAL_LM", **recipe["lora"]) if recipe.get("lora") else None,
    )
    return trainer, counts


def dataset(objective: str, rows: Sequence[Tokens]) -> Dataset:
    """Pairs as the trainer of an objective takes them."""
    return Dataset.from_list([COLUMNS[objective](row) for row in rows])


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


def completion_columns(row: Tokens) -> Record:
    """A pair as SFTTrainer takes it: prompt and chosen answer."""
    ids = {
        "input_ids": row["prompt_ids"] + row["chosen_ids"],
        "labels": answers_only(row["prompt_ids"], row["chosen_ids"]),
    }
    return ids | prompts_of(row)


def both_answers_columns(row: Tokens) -> Record:
    """A pair as ORPOTrainer and CPOTrainer take it: each answer after the prompt, and the prompt."""
    prompt = row["prompt_ids"]
    columns = {"prompt_input_ids": prompt, "prompt_attention_mask": [1] * len(prompt)}
    for side, answer in (("chosen", row["chosen_ids"]), ("rejected", row["rejected_ids"])):
        whole = prompt + answer
        columns |= {
            f"{side}_input_ids": whole,
            f"{side}_attention_mask": [1] * len(whole),
            f"{side}_labels": answers_only(prompt, answer),
        }
    return columns | prompts_of(row)


def prompts_of(row: Tokens) -> Record:
    """The prompt in every language, for the consistency loss."""
    return {"mlc_ids": row["mlc_ids"]} if "mlc_ids" in row else {}


def with_length(row: Tokens) -> Record:
    """A pair as DPOTrainer takes it, with the column by which ``train_sampling_strategy: group_by_length`` sorts."""
    return {**row, "length": width(row)}


COLUMNS: dict[str, Callable[[Any], Record]] = {
    "dpo": with_length,
    "sft": completion_columns,
    "orpo": both_answers_columns,
    "simpo": both_answers_columns,
}


def drop_broken(checkpoints: str | Path) -> None:
    """Remove checkpoints that a kill left half-written (their state file is written last)."""
    for folder in Path(checkpoints).glob("checkpoint-*"):
        if not (folder / "trainer_state.json").is_file():
            shutil.rmtree(folder)
