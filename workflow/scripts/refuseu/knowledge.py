"""Global MMLU through lm-eval: our own task per language over local rows, zero-shot."""

import json
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import yaml
from lm_eval import simple_evaluate
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager

from refuseu.backends.local import load
from refuseu.records import Record

TASK = {
    "dataset_path": "json",
    "test_split": "test",
    "output_type": "multiple_choice",
    "doc_to_text": "{{question}}\nA. {{option_a}}\nB. {{option_b}}\nC. {{option_c}}\nD. {{option_d}}\nAnswer:",
    "doc_to_choice": ["A", "B", "C", "D"],
    "doc_to_target": "{{['A', 'B', 'C', 'D'].index(answer)}}",
    "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
    "metadata": {"version": 1.0},
}


def score(
    questions: list[Record],
    model: dict[str, Any],
    adapter: str | Path | None,
    limit: int | None,
    batch_size: int,
) -> list[Record]:
    """Whether each question is answered right: the letter with the highest log-likelihood.

    Parameters
    ----------
    questions : rows of the Global-MMLU schema with ``language``
    limit : questions per language in a trial; None is all
    """
    by_language: dict[str, list[Record]] = defaultdict(list)
    for question in questions:
        by_language[question["language"]].append(question)
    weights, tokenizer = load(model, adapter)
    with tempfile.TemporaryDirectory() as folder:
        for language, rows in by_language.items():
            data = Path(folder, f"{language}.jsonl")
            data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
            task = TASK | {
                "task": f"global_mmlu_{language}",
                "dataset_kwargs": {"data_files": {"test": str(data)}},
            }
            Path(folder, f"{language}.yaml").write_text(yaml.safe_dump(task), encoding="utf-8")
        results = simple_evaluate(
            HFLM(pretrained=weights, tokenizer=tokenizer, batch_size=batch_size),
            tasks=[f"global_mmlu_{language}" for language in by_language],
            task_manager=TaskManager(include_path=folder, include_defaults=False),
            num_fewshot=0,
            limit=limit,
            bootstrap_iters=0,
        )
    return [
        {"language": language, "sample_id": sample["doc"]["sample_id"], "subject": sample["doc"]["subject"],
         "correct": bool(sample["acc"])}
        for language in by_language
        for sample in sorted(results["samples"][f"global_mmlu_{language}"], key=lambda s: s["doc_id"])
    ]  # fmt: skip
