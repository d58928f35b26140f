"""The fields of a recipe are those of TRL and PEFT, and wrong keys are named before anything runs."""

from dataclasses import fields

import pytest

from refuseu import recipes
from refuseu.errors import UserError
from refuseu.recipes import OBJECTIVES, check_recipe, config_fields


def config_class(name):
    import peft
    import trl
    from trl.experimental.cpo import CPOConfig
    from trl.experimental.orpo import ORPOConfig

    known = {"CPOConfig": CPOConfig, "ORPOConfig": ORPOConfig, "LoraConfig": peft.LoraConfig}
    return known.get(name) or getattr(trl, name)


@pytest.mark.parametrize("name", [*(config for config, _ in OBJECTIVES.values()), "LoraConfig"])
def test_the_fields_that_are_read_from_the_sources_are_those_of_the_class(name):
    assert set(config_fields(name)) == {field.name for field in fields(config_class(name))}


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_what_the_workflow_sets_are_fields(objective):
    config, fixed = OBJECTIVES[objective]
    assert {*fixed, *recipes.OURS} <= set(config_fields(config))


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


def test_a_library_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr(recipes, "find_spec", lambda name: None)
    config_fields.cache_clear()
    with pytest.raises(UserError, match="recipes need trl, which is not installed"):
        check_recipe("dpo", {"trainer": {"beta": 0.1}}, "x")
