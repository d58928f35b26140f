"""The fields of a recipe are those of TRL and PEFT, and wrong keys are named before anything runs."""

import subprocess
import sys
from typing import Literal

import pytest
from peft import LoftQConfig
from transformers import SchedulerType

from refuseu import recipes
from refuseu.errors import UserError
from refuseu.recipes import OBJECTIVES, check_recipe, config_fields
from support.helpers import Checkout


def test_the_fields_are_those_of_the_installed_libraries():
    from refuseu.training.recipe_fields import schema

    assert schema() == recipes.FIELDS.read_text(encoding="utf-8"), "TRL or PEFT has changed; run `make schemas`"


@pytest.mark.parametrize(
    ("hint", "types"),
    [
        (bool, {"boolean"}),
        (float | None, {"number", "null"}),
        (dict[str, int] | list[str] | str, {"object", "array", "string"}),
        (Literal[False, "all"], {"boolean", "string"}),
        (SchedulerType | str, {"string"}),
        (LoftQConfig, {"object"}),
    ],
)
def test_a_type_is_what_a_recipe_may_hold(hint, types):
    from refuseu.training.recipe_fields import json_types

    assert json_types(hint) == types


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_what_the_workflow_sets_are_fields(objective):
    config, fixed = OBJECTIVES[objective]
    assert {*fixed, *recipes.OURS} <= set(config_fields()[config])


@pytest.mark.parametrize(
    ("objective", "section", "key", "value", "said"),
    [
        ("dpo", "trainer", "learning_rat", 1e-6, "learning_rat is no field of DPOConfig .dpo.; remove it"),
        ("sft", "trainer", "beta", 0.1, "beta is no field of SFTConfig"),
        ("dpo", "trainer", "simpo_gamma", 0.5, "simpo_gamma is no field of DPOConfig"),
        ("dpo", "trainer", "seed", 3, "seed is set by the workflow for dpo; remove it"),
        ("simpo", "trainer", "loss_type", "hinge", "loss_type is set by the workflow for simpo"),
        ("dpo", "trainer", "truncation_mode", "keep_end", "truncation_mode is set by the workflow"),
        ("orpo", "trainer", "learning_rate", "1e-6", "learning_rate is the text '1e-6'; write a number, such as"),
        ("sft", "trainer", "max_length", "1024", "max_length is the text '1024'"),
        ("dpo", "trainer", "report_to", "all", " names 'all'; choose among wandb, trackio, mlflow"),
        ("dpo", "trainer", "trust_remote_code", True, "trust_remote_code is set by the workflow for dpo"),
        ("dpo", "lora", "rank", 16, "rank is no field of LoraConfig"),
        ("dpo", "lora", "task_type", "CAUSAL_LM", "task_type is set by the workflow"),
    ],
)
def test_a_wrong_key_is_named(objective, section, key, value, said):
    with pytest.raises(UserError, match=f"^r.yaml: key {section}.*{said}"):
        check_recipe(objective, {section: {key: value}}, "r.yaml:")


@pytest.mark.parametrize(
    ("objective", "trainer"),
    [
        ("dpo", {"loss_type": ["sigmoid", "sft"], "loss_weights": [1.0, 1.0], "lr_scheduler_type": "cosine"}),
        ("simpo", {"beta": 2.0, "simpo_gamma": 1.0}),
        ("orpo", {"beta": 0.1, "bf16": True, "max_length": None}),
        ("sft", {"warmup_steps": 0.1, "optim": "adamw_torch"}),
    ],
)
def test_right_keys_pass(objective, trainer):
    check_recipe(objective, {"trainer": trainer, "lora": {"r": 4, "target_modules": "all-linear"}}, "r.yaml:")


BLOCKED = """
import sys

class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "transformers", "trl", "peft"):
            raise ModuleNotFoundError(f"{name} is not installed")

sys.meta_path.insert(0, Block())
"""


@pytest.mark.parametrize("profile", ["slurm", "miniature"])
def test_a_dry_run_needs_no_library_of_the_training(profile, tmp_path):
    checkout = Checkout(tmp_path)
    code = f"{BLOCKED}from snakemake.cli import main; main()"
    command = [sys.executable, "-c", code, "--nolock", "--profile", profile, "-n", "-q"]
    ended = subprocess.run(command, cwd=checkout.folder, env=checkout.environ, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
