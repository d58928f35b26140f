"""Which generated prompts are kept, and how many are left after each step."""

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from refuseu.dataset.pairs import AGREE
from refuseu.funnel_rows import FunnelRow
from refuseu.rows import Pair, Prompt
from refuseu.similarity import dissimilar, distinct


def keep_prompts(
    prompts: Sequence[Prompt],
    labels: dict[str, dict[str, str]],
    policy: str,
    near_duplicates: Mapping[str, Any],
    before: Sequence[Prompt] = (),
) -> tuple[list[Prompt], list[FunnelRow]]:
    """The prompts that enter the dataset, and how many were left after each step.

    Not cut, distinct within their language, exactly and nearly, in the language asked for, and called unsafe by all
    (or any) guards.

    Parameters
    ----------
    prompts : records of the generator with ``prompt``, ``finish_reason`` and ``detected``
    labels : guard → prompt_id → label
    policy : all or any
    near_duplicates : threshold and shingle, see `similarity.dissimilar`
    before : prompts of earlier phases, of which none may be a copy
    """
    asked_before = {prompt["prompt_id"] for prompt in before}

    def own(every: Sequence[Prompt]) -> list[Prompt]:
        return [p for p in every if p["prompt_id"] not in asked_before]

    uncut = [p for p in [*before, *prompts] if p["finish_reason"] != "length"]
    once = distinct(uncut)
    apart = dissimilar(once, **near_duplicates)
    steps = {
        "generated": list(prompts),
        "uncut": own(uncut),
        "distinct": own(once),
        "no_near_duplicate": own(apart),
    }
    steps["right_language"] = [p for p in steps["no_near_duplicate"] if p["detected"] == p["language"]]
    steps["unsafe_by_guards"] = [
        p
        for p in steps["right_language"]
        if AGREE[policy](by_id.get(p["prompt_id"]) == "unsafe" for by_id in labels.values())
    ]
    languages = list(dict.fromkeys(prompt["language"] for prompt in prompts))
    return steps["unsafe_by_guards"], funnel(steps, languages)


def added_up(parts: Sequence[Sequence[FunnelRow]], languages: Sequence[str]) -> list[FunnelRow]:
    """The counts of several phases together, in the order of the languages and of the first phase's steps."""
    total: Counter[tuple[str, str]] = Counter()
    for row in itertools.chain(*parts):
        total[row["language"], row["step"]] += row["n"]
    steps = dict.fromkeys(row["step"] for row in itertools.chain(*parts))
    return [FunnelRow(language=code, step=step, n=total[code, step]) for code in languages for step in steps]


def funnel(steps: Mapping[str, Sequence[Prompt | Pair]], languages: Sequence[str]) -> list[FunnelRow]:
    """Counts per language and step, in the order of both; 0 where nothing is left."""
    return [
        FunnelRow(language=language, step=step, n=sum(r["language"] == language for r in records))
        for language in languages
        for step, records in steps.items()
    ]


def halves(pairs: Sequence[Pair], train: Sequence[Pair], test: Sequence[Pair]) -> dict[str, Sequence[Pair]]:
    """The last steps of the funnel: the pairs, where they went, and those that went nowhere."""
    used = {pair["pair_id"] for pair in [*train, *test]}
    left_out = [pair for pair in pairs if pair["pair_id"] not in used]
    return {"paired": pairs, "train": train, "test": test, "left_out": left_out}
