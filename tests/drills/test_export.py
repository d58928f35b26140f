"""A model of the cut as it is published: it loads by itself, is its base with its adapter, and its card is true."""

import pandas as pd
import pytest
import torch
from huggingface_hub import ModelCard
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

MODEL = "small-balanced-s1"
TALK = [{"role": "user", "content": "What is the capital of Poland?"}]


@pytest.fixture(scope="module")
def exported(undisturbed):
    undisturbed.run(
        f"results/test/export_model/{MODEL}/README.md", f"results/test/export_model_unmeasured/{MODEL}/README.md"
    )
    return undisturbed.results / f"export_model/{MODEL}"


def logits(model, tokenizer):
    ids = tokenizer.apply_chat_template(TALK, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    with torch.no_grad():
        return model(**ids).logits


def test_the_folder_is_a_model_of_its_own_that_answers_as_base_and_adapter_do(undisturbed, exported):
    names = {path.name for path in exported.iterdir()}
    assert {"README.md", "config.json", "model.safetensors", "tokenizer.json", "generation_config.json"} <= names
    assert not [name for name in names if name.endswith((".bin", ".pt")) or name.startswith(("adapter", "."))]
    base = undisturbed.results / "train_model/small"
    expected = PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), undisturbed.results / f"align/{MODEL}"
    ).merge_and_unload()
    found = AutoModelForCausalLM.from_pretrained(exported, dtype=torch.float32)
    own, others = AutoTokenizer.from_pretrained(exported), AutoTokenizer.from_pretrained(base)
    assert own.chat_template == others.chat_template and own.padding_side == others.padding_side
    assert torch.equal(logits(found, own), logits(expected, others))


def test_the_card_has_the_numbers_of_the_tables(undisturbed, exported):
    text = (exported / "README.md").read_text(encoding="utf-8")
    data = ModelCard(text).data
    table = pd.read_csv(undisturbed.results / "tables/table1_asr_refuseu_test.csv")
    rows = table[(table["base"] == "small") & (table["variant"] == "balanced")].set_index("language")
    found = {(one.dataset_type, one.metric_type): one.metric_value for one in data.eval_results}
    assert found["refuseu_test", "asr"] == pytest.approx(rows.loc["all", "value"], abs=1e-5)
    [polish] = [line for line in text.splitlines() if line.startswith("| Polish (trained)")]
    assert polish.split(" | ")[1].startswith(f"{rows.loc['pl', 'value'] * 100:.1f} [")
    changes = pd.read_csv(undisturbed.results / "compare/small/global_mmlu.csv")
    own = changes[(changes["model"] == MODEL) & (changes["reference"] == "abliterated") & (changes["language"] == "pl")]
    value = own.loc[own["metric"] == "accuracy", "value"].item() * 100
    assert polish.rpartition(" | ")[2].startswith(f"{value:+.1f} [")
    assert "**A toy.**" in text and "{{" not in text


def test_the_weights_lie_on_the_disk_once_and_the_other_card_claims_nothing(undisturbed, exported):
    other = undisturbed.results / f"export_model_unmeasured/{MODEL}"
    merged = undisturbed.results / f"merge_model/{MODEL}/model.safetensors"
    assert merged.stat().st_nlink == 3
    assert ModelCard((other / "README.md").read_text(encoding="utf-8")).data.eval_results is None
