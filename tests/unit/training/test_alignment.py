"""Training runs of a tiny model: reference stored once, every method, resumed runs, and what is written down."""

import csv
import json
import math
from contextlib import contextmanager
from copy import deepcopy

import pytest
import torch
from accelerate import PartialState
from safetensors.torch import load_file

from refuseu.backends.completion import Decoding
from refuseu.backends.local import Transformers
from refuseu.errors import UserError
from refuseu.job.lease import RELEASED
from refuseu.study import checks
from refuseu.training import logprobs
from refuseu.training.alignment import NONE, WEIGHTS, align, consistency_tokens, drop_broken, prepare
from refuseu.training.logprobs import REFERENCE, join_reference
from refuseu.training.reference import reference
from refuseu.training.tokens import tokenise
from refuseu.training.told import hardly_moved
from refuseu.training.trainers import load_model, load_tokenizer, trainer_config
from support.runs import PAIRS, RECIPE, SETTINGS, TRANSLATIONS, events_of, log_of, pair, recipe, run

METHODS = [objective + mlc for objective in ("dpo", "sft", "orpo", "simpo") for mlc in ("", "+mlc")]


@pytest.fixture
def train(tiny_model, stored, tmp_path):
    """Train into a folder of the test; returns it and the facts of the manifest."""

    def start(name="out", run=None, pairs=PAIRS, reference=stored, translations=TRANSLATIONS, held_out=NONE):
        places = [tmp_path / "checkpoints", tmp_path / name, tmp_path / f"{name}-events"]
        return tmp_path / name, align(pairs, tiny_model, run, reference, translations, *places, held_out)

    return start


# The reference


def test_reference_values_are_sums_over_the_answers_tokens(tiny_model, stored, tmp_path):
    tokenizer, model = load_tokenizer(tiny_model), load_model(tiny_model).eval()
    rows, _ = tokenise(PAIRS, tokenizer, SETTINGS["max_length"])
    found, _, values = reference(PAIRS, tiny_model, SETTINGS, stored.parent / "j.jsonl", tmp_path)
    for row, value in zip(rows, values, strict=True):
        for side, name in zip(("chosen", "rejected"), REFERENCE, strict=True):
            ids = torch.tensor([row["prompt_ids"] + row[f"{side}_ids"]])
            with torch.no_grad():
                scores = model(ids).logits[0, :-1].double().log_softmax(-1)
            answer = scores.gather(1, ids[0, 1:, None])[len(row["prompt_ids"]) - 1 :]
            assert value[name] == pytest.approx(answer.sum().item(), abs=1e-4)
    assert [row["ref_chosen_logps"] for row in join_reference(rows, stored, found)] == [
        value["ref_chosen_logps"] for value in values
    ]


def test_what_the_journal_lacks_is_settled_before_another_process_reads_it(tiny_model, tmp_path, monkeypatch):
    """Several processes compute together what each of them finds missing: it has to be the same."""
    first, held = PartialState.main_process_first, []

    @contextmanager
    def then_look(self):
        with first(self):
            yield
        held.append([file for file in tmp_path.glob("j.jsonl.lease-*") if file.read_text() != RELEASED])

    monkeypatch.setattr(PartialState, "main_process_first", then_look)
    for _ in range(2):
        reference(PAIRS[:2], tiny_model, SETTINGS, tmp_path / "j.jsonl", tmp_path / "work")
    assert [len(files) for files in held] == [1, 0]  # of the second time all is known
    assert not [file for file in tmp_path.glob("j.jsonl.lease-*") if file.read_text() != RELEASED]


def test_only_what_the_journal_lacks_is_computed(tiny_model, tmp_path, caplog):
    def compute(pairs, settings=SETTINGS, model=tiny_model):
        caplog.clear()
        _, _, values = reference(pairs, model, settings, tmp_path / "j.jsonl", tmp_path / "work")
        return values, [r.message for r in caplog.records if r.message.startswith("journal")]

    caplog.set_level("INFO", "refuseu")
    first, said = compute(PAIRS[:5])
    assert said == ["journal: 0 of 5 answers known, 5 to ask"]
    again, said = compute(PAIRS[:5])
    assert (again, said) == (first, ["journal: 5 of 5 answers known, 0 to ask"])
    journal = tmp_path / "j.jsonl"  # a kill leaves half a record
    journal.write_text(journal.read_text()[:-10])
    resumed, said = compute(PAIRS[:6])
    assert said == ["journal: 4 of 6 answers known, 2 to ask"]
    assert [v["ref_chosen_logps"] for v in resumed[:5]] == pytest.approx([v["ref_chosen_logps"] for v in first])
    assert compute(PAIRS[:6], SETTINGS | {"bf16": True})[1] == ["journal: 0 of 6 answers known, 6 to ask"]


def test_a_reference_that_is_not_a_number_is_refused(tiny_model, tmp_path):
    model = load_model(tiny_model)
    model.model.norm.weight.data.fill_(math.nan)
    model.save_pretrained(tmp_path / "broken")
    load_tokenizer(tiny_model).save_pretrained(tmp_path / "broken")
    broken = tiny_model | {"repository": str(tmp_path / "broken")}
    with pytest.raises(UserError, match=r"the reference log-probability of pair 'p.*' under 'tiny' is not a number"):
        reference(PAIRS, broken, SETTINGS, tmp_path / "j.jsonl", tmp_path)


@pytest.mark.parametrize(
    ("key", "change"),
    [
        ("max_length", {"max_length": 64}),
        ("bf16", {"bf16": True}),
        ("ld_alpha", {"ld_alpha": 0.5}),
    ],
)
def test_a_recipe_that_changes_what_the_reference_depends_on_refuses_the_file_and_names_the_key(train, key, change):
    with pytest.raises(UserError, match=f"tiny.parquet was made with {key} .*, and this run has .*run rule reference"):
        train(run=run(recipe=recipe(**change)))


@pytest.mark.parametrize("key", ["revision", "chat_template", "dtype"])
def test_another_base_or_template_refuses_the_file_and_names_the_key(tiny_model, stored, tmp_path, key):
    model, tokenizer = load_model(tiny_model), load_tokenizer(tiny_model)
    if key == "revision":
        model.model.norm.weight.data += 1
    if key == "chat_template":
        tokenizer.chat_template += " "
    model.save_pretrained(tmp_path / "other")
    tokenizer.save_pretrained(tmp_path / "other")
    other = tiny_model | {"repository": str(tmp_path / "other")}
    if key == "dtype":
        other["dtype"] = "bfloat16"
    with pytest.raises(UserError, match=f"was made with {key} "):
        prepare(PAIRS, other, run(), stored, {}, tmp_path / "checkpoints")


def test_a_pair_with_other_tokens_refuses_the_file_and_is_named(train):
    changed = deepcopy(PAIRS)
    changed[3]["chosen"][1]["content"] = "No."
    for pairs, name in ((changed, "p3"), ([*PAIRS, pair(99)], "p99")):
        with pytest.raises(UserError, match=f"has no log-probabilities for the tokens of pair '{name}'; run rule"):
            train(run=run(), pairs=pairs)


def test_the_rule_and_the_file_depend_on_the_same_keys():
    assert checks.REFERENCE_SETTINGS == logprobs.SETTINGS


def test_losses_with_the_stored_reference_are_those_of_plain_trl(train, tiny_model, tmp_path):
    from datasets import Dataset
    from peft import LoraConfig
    from trl import DPOConfig, DPOTrainer

    folder, facts = train(run=run(recipe=recipe(num_train_epochs=1)))
    plain = DPOTrainer(
        load_model(tiny_model),
        args=DPOConfig(
            output_dir=str(tmp_path / "plain"), use_cpu=True, report_to="none", seed=1, data_seed=1, save_strategy="no",
            num_train_epochs=1, **{k: v for k, v in RECIPE["trainer"].items() if k != "save_steps"},
        ),
        train_dataset=Dataset.from_list(
            [{"prompt": p["chosen"][:1], "chosen": p["chosen"][1:], "rejected": p["rejected"][1:]} for p in PAIRS]
        ),
        processing_class=load_tokenizer(tiny_model),
        peft_config=LoraConfig(task_type="CAUSAL_LM", **RECIPE["lora"]),
    )  # fmt: skip
    assert not plain.precompute_ref_logps
    plain.train()
    theirs = [row for row in plain.state.log_history if "loss" in row]
    ours = log_of(folder)
    assert len(theirs) == facts["steps"] == 6
    assert ours["loss"] == pytest.approx([row["loss"] for row in theirs], abs=1e-4)
    assert ours["reward_margin"] == pytest.approx([row["rewards/margins"] for row in theirs], abs=1e-4)
    assert ours["loss"][0] == pytest.approx(math.log(2), abs=1e-4)
    assert ours["loss"][-1] < 0.69


def test_rewards_begin_at_zero(tiny_model, stored, tmp_path):
    trainer, _ = prepare(PAIRS, tiny_model, run(), stored, {}, tmp_path)
    for batch in trainer.get_train_dataloader():
        trainer.compute_loss(trainer.model, batch)
    metrics = trainer._metrics["train"]
    for name in ("rewards/chosen", "rewards/rejected", "rewards/margins"):
        assert metrics[name] == pytest.approx([0] * 6, abs=1e-4)


# Every method, with and without the consistency loss


@pytest.mark.parametrize("method", METHODS)
def test_every_method_trains_and_writes_down_what_it_did(train, method):
    consistent = method.endswith("+mlc")
    folder, facts = train(run=run(method, recipe(max_steps=3)))
    weights = load_file(folder / "adapter_model.safetensors")
    assert all(tensor.any() for name, tensor in weights.items() if "lora_B" in name)
    assert not any("mlc" in name for name in weights)
    assert (folder / "mlc_extractor.safetensors").exists() == consistent
    log = log_of(folder)
    assert log["step"] == [1, 2, 3]
    assert all(math.isfinite(x) for x in log["loss"] + log["grad_norm"])
    assert all(len(log[name]) == 3 * consistent for name in ("mlc_loss", "singular_share", "cosine"))
    assert len(log["reward_margin"]) == 3 * (not method.startswith("sft"))
    pairs = facts["pairs"]
    each = pairs["prompt_tokens"] + pairs["chosen_tokens"]
    each += 0 if method.startswith("sft") else pairs["prompt_tokens"] + pairs["rejected_tokens"]
    each += pairs.get("mlc_prompt_tokens", 0)
    assert facts["tokens_seen"] == round(each / 2)  # three of six steps
    once = each - pairs.get("mlc_prompt_tokens", 0)
    assert facts["reference_tokens"] == (once if method.startswith("dpo") else 0)
    assert (pairs["pairs"], pairs["kept"], facts["steps"], facts["resumed_at_step"]) == (12, 12, 3, 0)
    assert ("mlc_prompt_tokens" in pairs) == consistent
    assert json.loads(json.dumps(facts)) == facts


def test_tokens_of_the_consistency_loss_count_on_the_steps_on_which_it_is_applied():
    counts = {"mlc_prompt_tokens": 300}
    found = [
        consistency_tokens(counts, run("dpo+mlc", RECIPE | {"mlc": {"every": every}}), steps=3) for every in (1, 2, 3)
    ]
    assert found == [300, 200, 100]
    assert consistency_tokens({}, run(), steps=3) == 0


def test_a_pair_without_all_translations_is_left_out_and_counted(train):
    some = {key: TRANSLATIONS[key] for key in ("p1", "p2", "p5")}
    _, facts = train(run=run("sft+mlc", recipe(max_steps=1)), translations=some)
    assert (facts["pairs"]["dropped_untranslated"], facts["pairs"]["kept"]) == (9, 3)
    with pytest.raises(UserError, match="none of 12 pairs is left to train on with sft"):
        train(run=run("sft+mlc"), translations={})


@pytest.mark.parametrize("lora", [RECIPE["lora"], None], ids=["lora", "full"])
@pytest.mark.parametrize("method", ["dpo+mlc", "sft+mlc"])
def test_in_training_the_consistency_loss_falls_and_the_cosine_of_the_raw_states_rises(train, method, lora):
    fast = recipe(num_train_epochs=4, learning_rate=1e-2, per_device_train_batch_size=4)
    folder, _ = train(run=run(method, fast | {"lora": lora, "mlc": RECIPE["mlc"] | {"lambda": 2.0}}))
    log = log_of(folder)
    assert log["mlc_loss"][-1] < 0.5 * log["mlc_loss"][0]
    assert log["cosine"][-1] > log["cosine"][0] + 0.1
    assert log["singular_share"][-1] > log["singular_share"][0] + 0.1
    assert len(log["cosine"]) == len(log["step"]) == 12
    assert (folder / "mlc_extractor.safetensors").exists()
    if lora is None:
        assert not any("mlc" in name for name in load_file(folder / WEIGHTS / "model.safetensors"))


@pytest.mark.parametrize("method", METHODS)
def test_every_method_trains_all_weights_and_leaves_a_model_that_answers(train, tiny_model, method):
    folder, facts = train(run=run(method, recipe(max_steps=2) | {"lora": None}))
    left = {file.name for file in (folder / WEIGHTS).iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json"} < left
    assert not [name for name in left if name.startswith("mlc") or name.endswith(".bin")]
    before, after = (load_file(f"{path}/model.safetensors") for path in (tiny_model["repository"], folder / WEIGHTS))
    assert set(after) == set(before)
    assert all(not torch.equal(after[name], before[name]) for name in before if "layers" in name)
    extractor = method.endswith("+mlc") and sum(
        tensor.numel() for tensor in load_file(folder / "mlc_extractor.safetensors").values()
    )
    assert facts["trained_parameters"] == sum(tensor.numel() for tensor in before.values()) + extractor
    row = tiny_model | {"repository": str(folder / WEIGHTS), "adapter": False}
    [(_, said)] = Transformers(row, None, 1).complete([PAIRS[0]["chosen"][:1]], Decoding(0.0, 1.0, 4), [1])
    assert said.completion_tokens > 0


def test_all_weights_are_trained_in_single_precision_and_saved_in_the_bases(train, tiny_model, stored, tmp_path):
    half = tiny_model | {"dtype": "bfloat16"}
    chosen = run("sft", recipe(max_steps=1, learning_rate=1e-6) | {"lora": None})
    trainer, _ = prepare(PAIRS, half, chosen, None, {}, tmp_path / "checkpoints")
    assert {parameter.dtype for parameter in trainer.model.parameters()} == {torch.float32}
    places = [tmp_path / name for name in ("c", "half", "e")]
    align(PAIRS, half, chosen, None, {}, *places)
    saved = load_file(tmp_path / "half" / WEIGHTS / "model.safetensors")
    assert {tensor.dtype for tensor in saved.values()} == {torch.bfloat16}


@pytest.mark.parametrize("lora", [RECIPE["lora"], None], ids=["lora", "full"])
@pytest.mark.parametrize("method", ["dpo+mlc", "sft", "orpo", "simpo+mlc"])
def test_held_out_pairs_are_scored_on_the_way_and_change_nothing(train, stored, method, lora):
    by_length = {"train_sampling_strategy": "group_by_length"} if method == "dpo+mlc" else {}
    scoring = recipe(max_steps=6, **by_length) | {"lora": lora}  # an epoch and a half
    plain, _ = train("plain", run=run(method, scoring), pairs=PAIRS[:8])
    scoring["trainer"] |= {"eval_strategy": "steps", "eval_steps": 2}
    folder, facts = train(run=run(method, scoring), pairs=PAIRS[:8], held_out=(PAIRS[8:], stored))
    log = log_of(folder)
    assert log["loss"] == log_of(plain)["loss"]
    assert len(log["held_out_loss"]) == 3 and all(map(math.isfinite, log["held_out_loss"]))
    assert (facts["pairs"]["held_out"], facts["pairs"]["held_out_kept"]) == (4, 4)
    assert facts["held_out"]["held_out_loss"] == log["held_out_loss"][-1]
    assert ("held_out_reward_margin" in facts["held_out"]) == (method != "sft")
    if method == "dpo+mlc":  # from the base's margin of zero
        assert facts["held_out"]["held_out_reward_margin"] != 0


def test_a_run_that_hardly_moved_says_so(train, caplog):
    caplog.set_level("WARNING", "refuseu")
    _, still = train("still", run=run(recipe=recipe(max_steps=2, learning_rate=1e-9)))
    assert "hardly moved from its base" in still["warning"] and still["warning"] in caplog.text
    assert abs(still["reward_margin"]) < 1e-3
    caplog.clear()
    assert hardly_moved("dpo", 0.2) == hardly_moved("orpo", 0.0) == hardly_moved("sft", None) == ""


def test_a_tracker_that_is_not_installed_is_named(tiny_model):
    with pytest.raises(UserError, match=r"trainer\.report_to names 'wandb', a package that this environment does not"):
        trainer_config("dpo", {"report_to": ["wandb"]}, seed=1)
    assert trainer_config("dpo", {}, seed=1).report_to == []


def test_a_frozen_extractor_stays_as_it_was(train):
    frozen = recipe(max_steps=2) | {"mlc": RECIPE["mlc"] | {"extractor": "frozen"}}
    extractors = [
        load_file(train(name, run=run("sft+mlc", frozen | {"trainer": frozen["trainer"] | more}))[0]
                  / "mlc_extractor.safetensors")
        for name, more in (("two", {}), ("one", {"max_steps": 1}))
    ]  # fmt: skip
    for key in ("weight", "bias"):
        assert torch.equal(extractors[0][key], extractors[1][key])


def test_every_second_step_has_the_consistency_loss_beginning_with_the_first(train):
    second = RECIPE | {"mlc": RECIPE["mlc"] | {"every": 2}}
    extractors = {}
    for steps in (1, 2, 3):
        folder, _ = train(str(steps), run=run("sft+mlc", second | {"trainer": recipe(max_steps=steps)["trainer"]}))
        extractors[steps] = load_file(folder / "mlc_extractor.safetensors")["weight"]
    with open(folder / "log.csv", encoding="utf-8") as lines:
        assert [bool(row["mlc_loss"]) for row in csv.DictReader(lines)] == [True, False, True]
    # Momentum does not move the extractor on a step without the loss.
    assert torch.equal(extractors[1], extractors[2]) and not torch.equal(extractors[2], extractors[3])


@pytest.mark.parametrize("method", ["dpo+mlc", "sft+mlc", "orpo+mlc", "simpo+mlc"])
def test_accumulated_gradients_move_the_extractor_as_one_large_batch_does(train, method):
    # With SGD the step is the gradient; Adam would hide its scale.
    common = {"max_steps": 1, "optim": "sgd", "max_grad_norm": 0.0, "learning_rate": 0.1}
    moved = [
        load_file(
            train(str(size), run=run(method, recipe(per_device_train_batch_size=size,
                                                    gradient_accumulation_steps=4 // size, **common)))[0]
            / "mlc_extractor.safetensors"
        )["weight"]
        for size in (4, 2, 1)
    ]  # fmt: skip
    start, _ = train("start", run=run(method, recipe(**common | {"learning_rate": 0.0})))
    start = load_file(start / "mlc_extractor.safetensors")["weight"]
    step = moved[0] - start
    assert step.abs().max() > 1e-5
    for other in moved[1:]:
        torch.testing.assert_close(other - start, step, atol=2e-6, rtol=1e-3)


# Mistakes in a recipe


@pytest.mark.parametrize(
    ("objective", "chosen", "said"),
    [
        ("dpo", {"learning_rat": 1e-6}, "trainer.learning_rat is no field of DPOConfig"),
        ("sft", {"beta": 0.1}, "trainer.beta is no field of SFTConfig"),
        ("dpo", {"seed": 3}, "trainer.seed is set by the workflow"),
        ("simpo", {"loss_type": "hinge"}, "trainer.loss_type is set by the workflow for simpo"),
        ("dpo", {"truncation_mode": "keep_end"}, "trainer.truncation_mode is set by the workflow"),
        ("orpo", {"learning_rate": "1e-6"}, "trainer.learning_rate is the text '1e-6'; write a number"),
    ],
)
def test_a_wrong_key_of_the_recipe_is_named(objective, chosen, said):
    with pytest.raises(UserError, match=said):
        trainer_config(objective, chosen, seed=1)


@pytest.mark.parametrize("layer", [3, -4])
def test_a_layer_that_the_base_does_not_have_is_named(train, layer):
    with pytest.raises(UserError, match=f"mlc.layer is {layer}, but the base has 2 layers; choose a number from 0"):
        train(run=run("sft+mlc", RECIPE | {"mlc": RECIPE["mlc"] | {"layer": layer}}))


def test_a_loss_that_is_not_a_number_stops_with_its_step_and_keeps_the_last_good_checkpoint(train, tmp_path):
    with pytest.raises(UserError, match="the loss or its gradient is not a number at step 2; lower the learning rate"):
        train(run=run(recipe=recipe(learning_rate=1e30, save_steps=1)))
    [checkpoint] = (tmp_path / "checkpoints").glob("*/checkpoint-*")
    assert checkpoint.name == "checkpoint-1"
    assert (checkpoint / "trainer_state.json").exists()
    weights = load_file(checkpoint / "adapter_model.safetensors")
    assert all(torch.isfinite(tensor).all() for tensor in weights.values())
    assert not (tmp_path / "out").exists()


# Started again


def test_tensorboard_files_say_what_the_log_says(train, tmp_path):
    folder, _ = train(run=run("sft+mlc"))
    log = log_of(folder)
    assert events_of(tmp_path / "out-events") == [
        (step, pytest.approx(loss)) for step, loss in zip(log["step"], log["loss"], strict=True)
    ]


def test_another_recipe_never_resumes_from_these_checkpoints(train, tmp_path):
    for attempt, change in enumerate([{"seed": 1}, {"seed": 2}]):
        _, facts = train(f"out{attempt}", run=run("sft", recipe(max_steps=2), **change))
        assert facts["resumed_at_step"] == 0
    _, facts = train("out0", run=run("sft", recipe(max_steps=2)), pairs=PAIRS[:-1])
    assert facts["resumed_at_step"] == 0
    _, facts = train("out0", run=run("sft", recipe(max_steps=2)))
    assert facts["resumed_at_step"] == 2  # everything was done but the manifest


def test_a_half_written_checkpoint_is_dropped(tmp_path):
    for name, whole in (("checkpoint-2", True), ("checkpoint-4", False)):
        (tmp_path / name).mkdir()
        if whole:
            (tmp_path / name / "trainer_state.json").touch()
    drop_broken(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-2"]
