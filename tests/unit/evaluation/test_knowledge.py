"""Global MMLU: our few-shot and zero-shot scores are those of lm-eval called by hand on the same files."""

import json

import pandas as pd
import pytest
import yaml

from refuseu.analysis import comparisons, metrics
from refuseu.analysis.published import read_published
from refuseu.artifacts.quality import knowledge_cells
from refuseu.errors import UserError
from refuseu.evaluation import knowledge
from refuseu.evaluation.benchmarks import load
from support.helpers import ROOT

SUBJECTS = ("anatomy", "astronomy")
KEEP = ("sample_id", "subject", "question", "option_a", "option_b", "option_c", "option_d", "answer")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Bundled questions under the names of two real subjects, as the parquet files that are released."""
    folder = tmp_path_factory.mktemp("global_mmlu")
    lines = (ROOT / "resources/miniature/global_mmlu/pl.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) | {"subject": SUBJECTS[n % 2]} for n, line in enumerate(lines)]
    rows = [{key: row[key] for key in KEEP} for row in rows]
    (folder / "pl").mkdir()
    for split, part in (("test", rows[:40]), ("dev", rows[40:56])):
        pd.DataFrame(part).to_parquet(folder / "pl" / f"{split}-00000-of-00001.parquet")
    return folder


@pytest.fixture(scope="module")
def questions(folder):
    return load("global_mmlu", "global_mmlu", folder, ["pl"])


def score(questions, model, tmp_path, few_shot=0, limit=None):
    return knowledge.score(questions, model, None, few_shot, limit, 8, tmp_path / "journal.jsonl")


@pytest.fixture(scope="module")
def tasks(folder, tmp_path_factory):
    """lm-eval's own tasks, pointed at the same files."""
    from lm_eval.tasks import TaskManager

    own = tmp_path_factory.mktemp("tasks")
    files = {split: str(folder / "pl" / f"{split}-00000-of-00001.parquet") for split in ("test", "dev")}
    group = {
        "group": "by_hand", "task": [f"global_mmlu_full_pl_{subject}" for subject in SUBJECTS],
        "dataset_path": "parquet", "dataset_name": None,
        "dataset_kwargs": {"data_files": files, "cache_dir": str(own / "cache")},
    }  # fmt: skip
    (own / "by_hand.yaml").write_text(yaml.safe_dump(group), encoding="utf-8")
    return TaskManager(include_path=str(own))


@pytest.mark.parametrize("few_shot", [0, 5])
def test_accuracy_is_that_of_lm_eval_called_by_hand(questions, tiny_model, tasks, few_shot, tmp_path):
    from lm_eval import simple_evaluate

    by_hand = simple_evaluate(
        model="hf",
        model_args={"pretrained": tiny_model["repository"], "dtype": "float32"},
        tasks=["by_hand"],
        num_fewshot=few_shot,
        batch_size=8,
        device="cpu",
        bootstrap_iters=0,
        task_manager=tasks,
    )
    ours = pd.DataFrame(score(questions, tiny_model, tmp_path, few_shot))
    accuracy = ours.groupby("subject")["correct"].mean()
    for subject in SUBJECTS:
        task = f"global_mmlu_full_pl_{subject}"
        assert accuracy[subject] == pytest.approx(by_hand["results"][task]["acc,none"], abs=1e-9)
        theirs = {sample["doc"]["sample_id"]: bool(sample["acc"]) for sample in by_hand["samples"][task]}
        assert ours[ours["subject"] == subject].set_index("sample_id")["correct"].to_dict() == theirs


class Seen:
    """Stands for a model in lm-eval and keeps what it is asked."""

    rank, world_size, batch_sizes = 0, 1, {}

    def __init__(self):
        self.contexts = []

    def loglikelihood(self, requests):
        self.contexts += [request.args[0] for request in requests]
        return [(-float(request.args[1] != " B"), False) for request in requests]


@pytest.mark.parametrize("few_shot", [0, 2])
def test_solved_questions_come_first_from_the_split_dev_of_the_subject(questions, few_shot):
    lm, asked = Seen(), [q for q in questions if q["split"] == "test"]
    shots = knowledge.solved(questions, asked, few_shot)
    assert knowledge.answer(lm, asked, shots, few_shot) == [q["answer"] == "B" for q in asked]
    assert len(lm.contexts) == 4 * len(asked)
    dev = {subject: [q for q in questions if q["split"] == "dev" and q["subject"] == subject] for subject in SUBJECTS}
    for context in lm.contexts:
        *before, last = context.split("\n\n")
        [question] = [q for q in asked if last.startswith(q["question"].strip() + "\nA. " + q["option_a"])]
        wanted = dev[question["subject"]][:few_shot]
        assert [shown.split("\n")[0] for shown in before] == [q["question"].strip() for q in wanted]
        assert [shown.rpartition("Answer: ")[2] for shown in before] == [q["answer"] for q in wanted]
        assert last.endswith("\nAnswer:")


def test_a_subject_with_too_few_solved_questions_is_named(questions, tiny_model, tmp_path):
    without = [q for q in questions if q["split"] == "test" or q["subject"] != "anatomy"]
    with pytest.raises(UserError, match=r"few_shot is 5, but the split dev of 'pl' has 0 .* 'anatomy'"):
        score(without, tiny_model, tmp_path, few_shot=5)


def test_a_trial_asks_the_first_questions_of_each_language(questions, tiny_model, tmp_path):
    both = [*questions, *({**q, "language": "cs"} for q in questions)]
    found = score(both, tiny_model, tmp_path, limit=3)
    wanted = [q["sample_id"] for q in questions[:3]]
    assert [(row["language"], row["sample_id"]) for row in found] == [(c, s) for c in ("pl", "cs") for s in wanted]


def test_an_unchanged_model_is_never_scored_twice(questions, tiny_model, tmp_path, monkeypatch):
    few = score(questions, tiny_model, tmp_path, limit=4)
    asked = []
    real = knowledge.answer
    monkeypatch.setattr(knowledge, "answer", lambda lm, rows, *more: asked.append(len(rows)) or real(lm, rows, *more))
    assert score(questions, tiny_model, tmp_path)[:4] == few
    assert asked == [36]  # a longer trial asks only for what is missing
    monkeypatch.setattr(knowledge, "load", None)
    assert len(score(questions, tiny_model, tmp_path)) == 40  # and nothing is missing now: no model is loaded


def test_other_solved_questions_are_another_score(questions, tiny_model, tmp_path):
    score(questions, tiny_model, tmp_path, limit=4)
    score(questions, tiny_model, tmp_path, few_shot=1, limit=4)
    assert len((tmp_path / "journal.jsonl").read_text(encoding="utf-8").splitlines()) == 8


# Languages outside the study

GROUPS = {"high_resource": ["en"], "low_resource": ["pl"]}
STATISTICS = {"confidence": 0.95, "resamples": 100, "seed": 1}


def items(**right):
    rows = [(code, f"{code}-{n}", int(c)) for code, answers in right.items() for n, c in enumerate(answers)]
    frame = pd.DataFrame(rows, columns=["language", "prompt_id", "accuracy"]).assign(benchmark="global_mmlu")
    others = {name: float("nan") for name in comparisons.COMPARED if name != "accuracy"}
    return frame.assign(category="", style="", cluster=frame["prompt_id"], **others)


def run(variant, method, seed):
    return {"model": variant, "base": "small", "variant": variant, "method": method, "seed": seed}


MODELS = {"abliterated": run("abliterated", "base", ""), "balanced": run("balanced", "dpo", 1)}
RUNS = {"abliterated": items(en="11", pl="10", ko="1110"), "balanced": items(en="11", pl="00", ko="0010")}


def test_a_language_outside_the_study_has_its_own_row_and_is_in_no_average():
    columns = ["benchmark", "language", "category", "style", "cluster", "prompt_id", "accuracy"]
    found = metrics.measure(MODELS["abliterated"], RUNS["abliterated"][columns], GROUPS, **STATISTICS)
    assert found.set_index("language")["value"].to_dict() == {
        "ko": 0.75, "en": 1.0, "pl": 0.5, "high_resource": 1.0, "low_resource": 0.5, "all": 0.75
    }  # fmt: skip
    assert found.set_index("language")["n"].to_dict()["all"] == 4


def test_it_is_compared_by_question_and_stands_below_the_others_in_the_table():
    columns = ["benchmark", "language", "category", "style", "cluster", "prompt_id", "accuracy"]
    parts = [metrics.measure(MODELS[name], RUNS[name][columns], GROUPS, **STATISTICS) for name in MODELS]
    measures = pd.concat(parts)
    compared = comparisons.compare(RUNS, MODELS, GROUPS, **STATISTICS)
    published = read_published([ROOT / "resources/published/table3_global_mmlu.csv"], MODELS)
    cells = knowledge_cells(measures, compared, published, MODELS, GROUPS)
    balanced = cells[cells["variant"] == "balanced"].set_index("language")
    assert balanced["change_value"].to_dict() == {
        "en": 0.0, "high_resource": 0.0, "pl": -0.5, "low_resource": -0.5, "all": -0.25, "ko": -0.5
    }  # fmt: skip
    assert list(dict.fromkeys(cells["language"]))[-1] == "ko"
