"""Which file under ``results/<study>/`` holds which rows, and whether a row is one."""

import re
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints, is_typeddict

from refuseu.funnel_rows import FunnelRow, Need
from refuseu.judge_rows import HumanLabel, TwoVerdicts
from refuseu.rows import (
    Answer,
    BenchmarkPrompt,
    Knowledge,
    Label,
    Measure,
    Pair,
    Prompt,
    PromptLabel,
    Question,
    Rating,
    ReleasedPrompt,
    Response,
    Seed,
    Translation,
    Verdict,
)

# File → what each of its rows is: one of these.
FILES: dict[str, tuple[type, ...]] = {
    "translate_seeds/seeds.jsonl": (Seed,),
    "generate_prompts/{phase}/{generator}.jsonl": (Prompt,),
    "label_prompts/{phase}/{judge}.jsonl": (PromptLabel,),
    "feasibility/{phase}.jsonl": (Need,),
    "filter_prompts/{phase}/prompts.jsonl": (Prompt,),
    "filter_prompts/{phase}/funnel.jsonl": (FunnelRow,),
    "answer_prompts/{phase}/{side}.jsonl": (Answer,),
    "label_answers/{phase}/{side}/{judge}.jsonl": (Label,),
    "build_pairs/{phase}/pairs.jsonl": (Pair,),
    "build_pairs/{phase}/funnel.jsonl": (FunnelRow,),
    "split_pairs/{half}.jsonl": (Pair,),
    "load_dataset/train.jsonl": (Pair,),
    "load_dataset/test.jsonl": (ReleasedPrompt,),
    "translate_prompts/{route}.jsonl": (Translation,),
    "load_benchmark/{benchmark}.jsonl": (BenchmarkPrompt, Question),
    "generate/{model}/{benchmark}.jsonl": (Response,),
    "judge/{judge}/{model}/{benchmark}.jsonl": (Label,),
    "adjudicate/{model}/{benchmark}.jsonl": (Verdict,),
    "judge_fluency/{model}/{benchmark}.jsonl": (Rating,),
    "knowledge/{model}/{benchmark}.jsonl": (Knowledge,),
    "adjudicate_both/{model}/{benchmark}.jsonl": (TwoVerdicts,),
    "human_labels/human_labels.jsonl": (HumanLabel,),
    "validate_judge/{judge}.jsonl": (Label,),
    "measure/{model}/{benchmark}.jsonl": (Measure,),
}


def kinds(path: str) -> tuple[type, ...]:
    """What the rows of a file may be.

    Parameters
    ----------
    path : below the study's results, e.g. ``judge/guard_a/base/refuseu_test.jsonl``

    Raises
    ------
    LookupError
        If no file of that name is declared.
    """
    for pattern, found in FILES.items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", pattern), path):
            return found
    raise LookupError(path)


def misfits(row: Mapping[str, Any], kind: type) -> list[str]:
    """The keys of a row that `kind` does not have, that are missing, or whose value has another type."""
    hints = get_type_hints(kind)
    required = kind.__required_keys__  # type: ignore[attr-defined]
    wrong = {key for key, value in row.items() if key not in hints or not fits(value, hints[key])}
    return sorted(wrong | (required - row.keys()))


def fits(value: Any, hint: Any) -> bool:
    """Whether a value read from JSON has a type."""
    arguments = get_args(hint)
    if isinstance(hint, UnionType):
        return any(fits(value, one) for one in arguments)
    if get_origin(hint) is list:
        return isinstance(value, list) and all(fits(one, arguments[0]) for one in value)
    if get_origin(hint) is dict:
        return isinstance(value, dict) and all(
            fits(k, arguments[0]) and fits(v, arguments[1]) for k, v in value.items()
        )
    if is_typeddict(hint):
        return isinstance(value, dict) and not misfits(value, hint)
    if hint is NoneType:
        return value is None
    return type(value) is hint
