"""Keys of recipes, checked against the fields of TRL's and PEFT's configs before anything runs.

The fields are in a schema that ``make schemas`` writes: every process of Snakemake checks the study, and importing
these libraries takes seconds.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from refuseu.errors import UserError

FIELDS = Path(__file__).parents[2] / "schemas" / "recipe_fields.schema.json"
# Objective → config of its trainer, and what the workflow sets in it.
OBJECTIVES: dict[str, tuple[str, dict[str, Any]]] = {
    "dpo": ("DPOConfig", {"precompute_ref_log_probs": True, "truncation_mode": "keep_start"}),
    "sft": ("SFTConfig", {"packing": False, "truncation_mode": "keep_start"}),
    "orpo": ("ORPOConfig", {"remove_unused_columns": False}),
    "simpo": ("CPOConfig", {"loss_type": "simpo", "cpo_alpha": 0.0, "remove_unused_columns": False}),
}
# In every trainer's config, from the run and the machine.
OURS = (
    "output_dir", "seed", "data_seed", "save_total_limit", "disable_tqdm", "use_cpu", "ddp_find_unused_parameters",
    "load_best_model_at_end", "trust_remote_code",
)  # fmt: skip
TRACKERS = ("wandb", "trackio", "mlflow", "none")  # beside the TensorBoard files that every training writes


def check_recipe(objective: str, recipe: dict[str, Any], where: str) -> None:
    """Check the keys of the sections ``trainer`` and ``lora``.

    Parameters
    ----------
    where : begins the sentence of an error

    Raises
    ------
    UserError
        If a key is no field, is set by the workflow, or is text instead of a number.
    """
    trainer, fixed = OBJECTIVES[objective]
    for section, config, ours in (("trainer", trainer, (*OURS, *fixed)), ("lora", "LoraConfig", ("task_type",))):
        known = config_fields()[config]
        for key, value in (recipe.get(section) or {}).items():
            if key in ours:
                raise UserError(f"{where} key {section}.{key} is set by the workflow for {objective}; remove it")
            if key not in known:
                raise UserError(f"{where} key {section}.{key} is no field of {config} ({objective}); remove it")
            if isinstance(value, str) and set(known[key]) <= {"integer", "number", "null"}:
                raise UserError(f"{where} key {section}.{key} is the text {value!r}; write a number, such as 1.0e-6")
    for name in trackers(recipe.get("trainer") or {}):
        if name not in TRACKERS:
            raise UserError(f"{where} key trainer.report_to names {name!r}; choose among {', '.join(TRACKERS)}")


def trackers(trainer: dict[str, Any]) -> list[str]:
    """Where a training is reported to beside its own files."""
    named = trainer.get("report_to") or []
    return [named] if isinstance(named, str) else list(named)


def scored(recipe: dict[str, Any]) -> bool:
    """Whether a training scores held-out pairs on its way."""
    return (recipe.get("trainer") or {}).get("eval_strategy", "no") not in ("no", False, None)


@cache
def config_fields() -> dict[str, dict[str, list[str]]]:
    """Config → its fields, with those that it inherits → names of their JSON types."""
    configs = json.loads(FIELDS.read_text(encoding="utf-8"))["$defs"]
    return {
        config: {name: field["type"] for name, field in content["properties"].items()}
        for config, content in configs.items()
    }
