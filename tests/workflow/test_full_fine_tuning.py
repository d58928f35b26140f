"""A recipe without an adapter leaves a whole model, which answers in place of its base."""

import shutil

from support.helpers import ROOT

RESULTS = "results/miniature"


def test_a_whole_model_answers_without_its_base_and_scores_held_out_pairs(checkout):
    recipes = shutil.copytree(ROOT / "config/miniature/recipes", checkout.folder / "whole")
    scoring = "trainer:\n  eval_strategy: epoch\n"
    (recipes / "mlc.yaml").write_text(
        (recipes / "mlc.yaml").read_text().replace("trainer:\n", f"lora: null\n{scoring}")
    )
    overlay = checkout.overlay("full.yaml", {"sheets": {"recipes": "whole"}})
    configs = ("--profile", "miniature", "--configfile", "config/miniature/config.yaml", overlay)
    models = [f"small-{variant}-s1" for variant in ("english_only_mlc", "balanced")]
    found = checkout.graph(*(f"{RESULTS}/generate/{model}/refuseu_test.jsonl" for model in models), *configs)
    trained = {job for job in found if job.startswith("align")}
    assert trained == {f"align_fully {models[0]}", f"align {models[1]}"}
    weights, base = f"{RESULTS}/align/{models[0]}/weights", f"{RESULTS}/train_model/small/model.safetensors"
    answering = [found[f"generate {model} refuseu_test"][0] for model in models]
    assert [{weights, base} & inputs for inputs in answering] == [{weights}, {base}]
    scored = {f"{RESULTS}/split_pairs/test.jsonl", f"{RESULTS}/reference_held_out/small.parquet"}
    assert [scored & found[job][0] for job in sorted(trained)] == [set(), scored]
