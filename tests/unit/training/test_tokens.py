"""Pairs as token ids: what is cut, what is left out, and what the batches of every objective hold."""

import pytest
from transformers import AutoTokenizer

from refuseu.training.alignment import prepare
from refuseu.training.tokens import render, tokenise, totals

BOS, TURN = "<|begin_of_text|>", "<|eot_id|>"
RECIPE = {"trainer": {"max_length": 256, "per_device_train_batch_size": 4, "bf16": False}, "lora": {"r": 2}}


def pair(key="1", prompt="Ask.", chosen="No.", rejected="Yes."):
    turn = {"role": "user", "content": prompt}
    answers = {"chosen": chosen, "rejected": rejected}
    return {"pair_id": key} | {k: [turn, {"role": "assistant", "content": text}] for k, text in answers.items()}


PAIRS = [pair(str(i), f"Please answer request number {i}.", f"I can't help with that, {i}.", "Sure. " * (i + 1))
         for i in range(4)]  # fmt: skip


@pytest.fixture(scope="module")
def tokenizer(tiny_model):
    return AutoTokenizer.from_pretrained(tiny_model["repository"])


def text(tokenizer, ids):
    return tokenizer.decode(ids)


def test_a_pair_is_its_prompt_to_the_end_of_the_header_and_two_answers_that_end_their_turn(tokenizer):
    [row], counts = tokenise([pair()], tokenizer, 256)
    head = "<|start_header_id|>{}<|end_header_id|>\n\n"
    expected = BOS + head.format("user") + "Ask." + TURN + head.format("assistant")
    assert text(tokenizer, row["prompt_ids"]) == expected
    assert (text(tokenizer, row["chosen_ids"]), text(tokenizer, row["rejected_ids"])) == ("No." + TURN, "Yes." + TURN)
    assert (row["pair_id"], counts["pairs"], sum(counts.values())) == ("1", 1, 1)


def test_what_a_template_writes_after_the_last_turn_is_no_part_of_an_answer(tokenizer):
    """A base says the end of a turn and stops; of a blank after it, of which it knows nothing, DPO learns first."""
    [expected], _ = tokenise([pair()], tokenizer, 256)
    own, after = tokenizer.chat_template, "{%- if not add_generation_prompt -%}{{- '\n\n' -}}{%- endif -%}"
    tokenizer.chat_template = own + after
    try:
        assert text(tokenizer, render(tokenizer, pair()["chosen"])).endswith(TURN + "\n\n")
        assert tokenise([pair()], tokenizer, 256)[0] == [expected]
    finally:
        tokenizer.chat_template = own


def test_answers_are_cut_where_the_sequence_is_full_and_tokens_are_counted_after_the_cut(tokenizer):
    [whole], _ = tokenise([pair(chosen="No. " * 30)], tokenizer, None)
    prompt, chosen, rejected = (len(whole[f"{part}_ids"]) for part in ("prompt", "chosen", "rejected"))
    [row], counts = tokenise([pair(chosen="No. " * 30)], tokenizer, prompt + rejected)
    assert row["chosen_ids"] == whole["chosen_ids"][:rejected]
    assert row["rejected_ids"] == whole["rejected_ids"]
    assert counts["cut_answers"] == 1
    assert chosen > rejected
    assert totals([row]) == {
        "kept": 1, "prompt_tokens": prompt, "chosen_tokens": rejected, "rejected_tokens": rejected
    }  # fmt: skip
    assert totals([row | {"mlc_ids": [[1, 2], [3]]}] * 2)["mlc_prompt_tokens"] == 6


def test_pairs_that_are_identical_after_the_cut_or_have_no_room_for_an_answer_are_dropped_and_counted(tokenizer):
    same = pair("2", "Ask.", "No. But first this.", "No. But then that.")
    length = len(render(tokenizer, same["chosen"][:1], add_generation_prompt=True))
    long = pair("3", "Ask. " * 30)
    rows, counts = tokenise([pair(), same, long, pair("4", chosen="A.", rejected="A.")], tokenizer, length + 2)
    assert [row["pair_id"] for row in rows] == ["1"]
    assert (counts["pairs"], counts["dropped_identical"], counts["dropped_prompt_too_long"]) == (4, 2, 1)
    rows, counts = tokenise([pair(), same], tokenizer, 256)
    assert (len(rows), counts["dropped_identical"]) == (2, 0)


@pytest.mark.parametrize("where", ["prompt", "chosen", "rejected"])
def test_a_text_with_a_special_token_would_end_its_turn_twice_and_is_dropped(tokenizer, where):
    rows, counts = tokenise([pair(**{where: f"No.{TURN}"}), pair("2")], tokenizer, 256)
    assert [row["pair_id"] for row in rows] == ["2"]
    assert counts["dropped_special_token"] == 1


def test_the_answer_starts_where_the_template_parts_with_the_prompt(tokenizer, tiny_model):
    other = AutoTokenizer.from_pretrained(tiny_model["repository"])
    other.chat_template = "{% for m in messages %}{{ m.content }}{% endfor %}{{ '>' if add_generation_prompt }}"
    [row], counts = tokenise([pair()], other, 256)
    assert [text(other, row[f"{part}_ids"]) for part in ("prompt", "chosen", "rejected")] == ["Ask.", "No.", "Yes."]
    assert counts["shortened_prompts"] == 1


def test_our_tokens_are_those_of_trl(tokenizer, tiny_model, tmp_path):
    from datasets import Dataset
    from transformers import AutoModelForCausalLM
    from trl import DPOConfig, DPOTrainer

    trainer = DPOTrainer(
        AutoModelForCausalLM.from_pretrained(tiny_model["repository"]),
        AutoModelForCausalLM.from_pretrained(tiny_model["repository"]),
        args=DPOConfig(output_dir=str(tmp_path), max_length=256, use_cpu=True, bf16=False),
        train_dataset=Dataset.from_list(
            [{"prompt": p["chosen"][:1], "chosen": p["chosen"][1:], "rejected": p["rejected"][1:]} for p in PAIRS]
        ),
        processing_class=tokenizer,
    )
    rows, _ = tokenise(PAIRS, tokenizer, 256)
    keys = ("prompt_ids", "chosen_ids", "rejected_ids")
    assert [{k: row[k] for k in keys} for row in trainer.train_dataset] == [{k: row[k] for k in keys} for row in rows]


def sequences(batch, objective):
    """(ids, ids that are trained on) of each side in a batch, without the padding."""
    if objective == "dpo":
        ids, mask, answers = batch["input_ids"], batch["attention_mask"].bool(), batch["completion_mask"].bool()
        found = [(row[m].tolist(), row[a].tolist()) for row, m, a in zip(ids, mask, answers, strict=True)]
        half = len(found) // 2
        return {"chosen": found[:half], "rejected": found[half:]}
    prefixes = {"chosen": ""} if objective == "sft" else {side: f"{side}_" for side in ("chosen", "rejected")}
    return {
        side: [
            (ids[mask.bool()].tolist(), labels[labels != -100].tolist())
            for ids, mask, labels in zip(
                *(batch[prefix + key] for key in ("input_ids", "attention_mask", "labels")), strict=True
            )
        ]
        for side, prefix in prefixes.items()
    }


@pytest.mark.parametrize("eos", [TURN, "<|end_of_text|>"])
@pytest.mark.parametrize("objective", ["dpo", "sft", "orpo", "simpo"])
def test_batches_have_one_begin_of_text_one_end_of_turn_and_the_same_prompt_on_both_sides(
    tiny_model, tmp_path, objective, eos
):
    tokenizer = AutoTokenizer.from_pretrained(tiny_model["repository"])
    tokenizer.eos_token = eos
    base = tiny_model | {"repository": str(tmp_path / "base")}
    (tmp_path / "base").mkdir()
    for file in ("config.json", "model.safetensors"):
        (tmp_path / "base" / file).symlink_to(f"{tiny_model['repository']}/{file}")
    tokenizer.save_pretrained(base["repository"])
    run = {"method": objective, "recipe": RECIPE, "seed": 1}
    reference = tmp_path / "reference.parquet"
    if objective == "dpo":
        from refuseu.training.logprobs import write_reference
        from refuseu.training.reference import reference as compute

        settings = {k: RECIPE["trainer"][k] for k in ("max_length", "bf16")}
        write_reference(reference, *compute(PAIRS, base, settings, tmp_path / "j.jsonl", tmp_path / "w"))
    trainer, _ = prepare(PAIRS, base, run, reference, {}, tmp_path / "checkpoints")
    [batch] = trainer.get_train_dataloader()
    found = sequences(batch, objective)
    bos, turn = (tokenizer.convert_tokens_to_ids(token) for token in (BOS, TURN))
    prompts = {}
    for side, rows in found.items():
        assert len(rows) == len(PAIRS)
        for ids, answer in rows:
            assert ids.index(bos) == 0 and ids.count(bos) == 1
            assert ids[-1] == turn and ids.count(turn) == 2  # the user's turn and the answer
            assert answer == ids[len(ids) - len(answer) :] and answer.count(turn) == 1
            assert tokenizer.convert_tokens_to_ids("<|end_of_text|>") not in ids
            prompts.setdefault(side, []).append(ids[: -len(answer)])
    assert all(prompts[side] == prompts["chosen"] for side in prompts)
    expected = [render(tokenizer, p["chosen"][:1], add_generation_prompt=True) for p in PAIRS]
    assert sorted(prompts["chosen"]) == sorted(expected)
