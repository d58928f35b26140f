"""Keys of recipes, checked against the fields of TRL's and PEFT's configs before anything runs.

The fields are read from the sources of these libraries: importing them takes seconds, and every process
of Snakemake checks the study.
"""

import ast
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from refuseu.errors import UserError

# Where the configs are, and after which the fields of its bases are looked up.
SOURCES = {
    "TrainingArguments": ("transformers", "training_args.py"),
    "_BaseConfig": ("trl", "trainer/base_config.py"),
    "DPOConfig": ("trl", "trainer/dpo_config.py"),
    "SFTConfig": ("trl", "trainer/sft_config.py"),
    "ORPOConfig": ("trl", "experimental/orpo/orpo_config.py"),
    "CPOConfig": ("trl", "experimental/cpo/cpo_config.py"),
    "PeftConfigMixin": ("peft", "config.py"),
    "PeftConfig": ("peft", "config.py"),
    "LoraConfig": ("peft", "tuners/lora/config.py"),
}
# Objective → config of its trainer, and what the workflow sets in it.
OBJECTIVES: dict[str, tuple[str, dict[str, Any]]] = {
    "dpo": ("DPOConfig", {"precompute_ref_log_probs": True, "truncation_mode": "keep_start"}),
    "sft": ("SFTConfig", {"packing": False, "truncation_mode": "keep_start"}),
    "orpo": ("ORPOConfig", {"remove_unused_columns": False}),
    "simpo": ("CPOConfig", {"loss_type": "simpo", "cpo_alpha": 0.0, "remove_unused_columns": False}),
}
# In every trainer's config, from the run and the machine.
OURS = (
    "output_dir", "seed", "data_seed", "save_total_limit", "disable_tqdm", "report_to", "use_cpu",
    "ddp_find_unused_parameters",
)  # fmt: skip


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
        known = config_fields(config)
        for key, value in (recipe.get(section) or {}).items():
            if key in ours:
                raise UserError(f"{where} key {section}.{key} is set by the workflow for {objective}; remove it")
            if key not in known:
                raise UserError(f"{where} key {section}.{key} is no field of {config} ({objective}); remove it")
            if isinstance(value, str) and set(known[key].split(" | ")) <= {"int", "float", "None"}:
                raise UserError(f"{where} key {section}.{key} is the text {value!r}; write a number, such as 1.0e-6")


@cache
def config_fields(name: str) -> dict[str, str]:
    """Fields of a config, with those that it inherits: name → type as it is written.

    Raises
    ------
    UserError
        If the library is not installed.
    """
    package, path = SOURCES[name]
    if (spec := find_spec(package)) is None:
        raise UserError(
            f"recipes need {package}, which is not installed; run `make .venv/ready` and use that environment"
        )
    [folder] = spec.submodule_search_locations
    tree = ast.parse((Path(folder) / path).read_text(encoding="utf-8"))
    [found] = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name]
    fields = {}
    for base in found.bases:
        if ast.unparse(base) in SOURCES:
            fields |= config_fields(ast.unparse(base))
    return fields | {
        node.target.id: ast.unparse(node.annotation)
        for node in found.body
        if isinstance(node, ast.AnnAssign) and not ast.unparse(node.annotation).startswith("ClassVar")
    }
