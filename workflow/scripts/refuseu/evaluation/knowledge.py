"""Global MMLU through lm-eval: our own tasks over local rows, zero-shot or with solved questions first."""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from lm_eval.api.model import LM
from lm_eval.evaluator import evaluate
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager
from lm_eval.utils import env as templates

from refuseu.asked import Asked
from refuseu.backends.identity import identity
from refuseu.backends.local import load
from refuseu.errors import UserError
from refuseu.job.journal import Journal, request_key
from refuseu.records import Record
from refuseu.rows import Knowledge, Question

# lm-eval compiles the template of a task anew for every question.
templates.from_string = cache(templates.from_string)

Shots = Mapping[tuple[str, str], list[Question]]

# As in lm-eval's own tasks global_mmlu_full_*, which cannot read local files.
TASK: dict[str, Any] = {
    "dataset_path": "json",
    "test_split": "test",
    "output_type": "multiple_choice",
    "doc_to_text": "{{question.strip()}}\nA. {{option_a}}\nB. {{option_b}}\nC. {{option_c}}\nD. {{option_d}}\nAnswer:",
    "doc_to_choice": ["A", "B", "C", "D"],
    "doc_to_target": "answer",
    "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
    "metadata": {"version": 1.0},
}
EXAMPLES: dict[str, Any] = {"fewshot_split": "dev", "fewshot_config": {"sampler": "first_n"}}


def score(
    questions: Sequence[Question],
    model: Asked,
    adapter: str | Path | None,
    few_shot: int,
    limit: int | None,
    batch_size: int,
    journal: str | Path,
) -> list[Knowledge]:
    """Whether each question of the split test is answered right: the letter with the highest log-likelihood.

    Through the journal, language by language; the model is loaded only if an answer is missing.

    Parameters
    ----------
    questions : rows of the Global-MMLU schema with ``language`` and ``split`` (test or dev)
    few_shot : solved questions shown first, the first of the same language and subject in the split dev
    limit : questions per language in a trial; None is all

    Raises
    ------
    UserError
        If the split dev has fewer than `few_shot` questions of a subject.
    """
    of: dict[str, list[Question]] = {}
    for question in questions:
        if question["split"] == "test":
            of.setdefault(question["language"], []).append(question)
    asked = [question for rows in of.values() for question in rows[:limit]]
    shots = solved(questions, asked, few_shot)
    who = identity(model, adapter)
    keys = [request_key(who, [q, shots[q["language"], q["subject"]]], {"task": TASK}, None) for q in asked]

    def ask(wanted: list[Question]) -> Iterator[tuple[int, Record]]:
        weights, tokenizer = load(model, adapter)
        tokenizer.split_special_tokens = True  # in a question they are text
        lm = HFLM(pretrained=weights, tokenizer=tokenizer, batch_size=batch_size)
        for language in dict.fromkeys(question["language"] for question in wanted):
            own = [index for index, question in enumerate(wanted) if question["language"] == language]
            right = answer(lm, [wanted[index] for index in own], shots, few_shot)
            yield from zip(own, ({"correct": one} for one in right), strict=True)

    found = Journal(journal, model["model"]).ask(asked, keys, ask)
    return [
        Knowledge(
            language=question["language"],
            sample_id=question["sample_id"],
            subject=question["subject"],
            correct=one["correct"],
        )
        for question, one in zip(asked, found, strict=True)
    ]


def solved(
    questions: Sequence[Question], asked: Sequence[Question], few_shot: int
) -> dict[tuple[str, str], list[Question]]:
    """The solved questions that precede those asked, by language and subject."""
    shots: dict[tuple[str, str], list[Question]] = {(q["language"], q["subject"]): [] for q in asked}
    for question in questions:
        own = shots.get((question["language"], question["subject"]))
        if question["split"] == "dev" and own is not None and len(own) < few_shot:
            own.append(question)
    for (language, subject), rows in shots.items():
        if len(rows) < few_shot:
            raise UserError(
                f"knowledge.few_shot is {few_shot}, but the split dev of {language!r} has {len(rows)} questions in "
                f"the subject {subject!r}; put the file with that split beside the test file or lower few_shot"
            )
    return shots


def answer(lm: LM, questions: Sequence[Question], shots: Shots, few_shot: int) -> list[bool]:
    """Let lm-eval answer questions of one language; one task per subject where examples depend on it."""
    tasks: dict[str, list[int]] = {}
    for index, question in enumerate(questions):
        subject = f"_{question['subject']}" if few_shot else ""
        tasks.setdefault(f"global_mmlu_{question['language']}{subject}", []).append(index)
    right: dict[int, bool] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, own in tasks.items():
            rows = {"test": [questions[index] for index in own]}
            if few_shot:
                rows["dev"] = shots[rows["test"][0]["language"], rows["test"][0]["subject"]]
            files = {split: str(write(Path(folder, f"{name}.{split}.jsonl"), rows[split])) for split in rows}
            data = {"data_files": files, "cache_dir": folder}
            task = TASK | (EXAMPLES if few_shot else {})
            task |= {"task": name, "num_fewshot": few_shot, "dataset_kwargs": data}
            Path(folder, f"{name}.yaml").write_text(yaml.safe_dump(task), encoding="utf-8")
        loaded = TaskManager(include_path=folder, include_defaults=False).load(list(tasks))
        results = evaluate(lm, loaded, bootstrap_iters=0)
        for name, own in tasks.items():
            right |= {own[sample["doc_id"]]: bool(sample["acc"]) for sample in results["samples"][name]}
    return [right[index] for index in range(len(questions))]


def write(file: Path, rows: Sequence[Question]) -> Path:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file
