"""How many prompts each category and language needs, from what became of those before, and whether they can suffice.

Why rounds that are phases of the graph, and no checkpoint and no single job that goes round by round: the models that
write, label and answer are four large ones, which one job would load again and again while GPUs wait, and a checkpoint
makes the graph anew in the middle of a run, so that a dry run could not tell what will run. So the graph has a fixed
number of rounds, each with the jobs of the first; what a round asks for is a file that a light job makes of all rounds
before it. Where nothing is short, that file asks for nothing, and the round's jobs end before they load a model. A
round more, or a higher bound, asks for what is missing and for nothing twice.
"""

import logging
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from refuseu.errors import UserError
from refuseu.funnel_rows import Need
from refuseu.rows import Pair, Prompt, Seed

log = logging.getLogger("refuseu")

Cell = tuple[str, str]  # language and category
# So many prompts of its own weigh as much as what a cell shares with its language and its category: the pilot asks for
# some 36 in each, of which at the paper's yield one or two become pairs.
WEIGHT = 100
# Part of the pairs wanted that the first round asks for: where a small pilot says too little, more would be too many.
FIRST = 0.8
PAPER = 0.04  # arXiv 2606.07535, section 3: of over 100,000 prompts per language over 4,000 became pairs


@dataclass(frozen=True)
class Counts:
    """What one phase asked for and what became of it, by language and category."""

    asked: Mapping[Cell, int]
    pairs: Mapping[Cell, int]


@dataclass(frozen=True)
class Aim:
    """What the phases are for.

    Attributes
    ----------
    pairs : wanted in each category and language
    most : prompts that may be asked for in each, all phases together
    least : pairs without which the split cannot do; 0 where it takes what there is
    """

    pairs: int
    most: int
    least: int


def wanting(seeds: Sequence[Seed], dataset: Mapping[str, Any]) -> str:
    """What a study lacks to fill its test at the paper's yield, in one sentence before anything is asked; else empty.

    Parameters
    ----------
    seeds : as written by hand
    dataset : that section of the config
    """
    least, fill, each = dataset["split"]["per_category"], dataset["fill"], dataset["prompts_per_category"]
    styles = sum(seed["kind"] == "style" for seed in seeds)
    activities = Counter(seed["category"] for seed in seeds if seed["kind"] == "activity")
    asked = {
        category: fill["most"] if fill else each or number * styles * dataset["prompts_per_slot"]
        for category, number in activities.items()
    }
    short = {category: number for category, number in asked.items() if number * PAPER < least}
    if not short:
        return ""
    fewest, cure = min(short.values()), "raise dataset.fill.most" if fill else "set dataset.fill"
    return (
        f"if as few prompts become pairs as in the paper ({PAPER:.0%}), the {fewest:,} of {', '.join(short)} in a "
        f"language leave some {fewest * PAPER:.0f} of the {least} test prompts that dataset.split asks for, and the "
        f"study stops after they are paid; {cure}, write more activities, or set dataset.split.if_short to fewer"
    )


def counts(prompts: Sequence[Prompt], pairs: Sequence[Pair]) -> Counts:
    """Prompts and pairs of a phase, counted."""
    return Counts(
        Counter((row["language"], row["category"]) for row in prompts),
        Counter((row["language"], row["category"]) for row in pairs),
    )


def pilot_needs(languages: Sequence[str], categories: Sequence[str], total: int) -> list[Need]:
    """A pilot of so many prompts per language, spread evenly over the categories."""
    each, left = divmod(total, len(categories))
    return [
        Need(language=language, category=category, asked=0, pairs=0, share=None, more=each + (place < left))
        for language in languages
        for place, category in enumerate(categories)
    ]


def needs(languages: Sequence[str], categories: Sequence[str], phases: Sequence[Counts], aim: Aim) -> list[Need]:
    """What each category and language needs beyond these phases.

    Parameters
    ----------
    phases : those before, the pilot first

    Raises
    ------
    UserError
        If nothing became a pair, or some cells will not have the least at their yields and the bound.
    """
    asked, pairs = (sum((Counter(part) for part in parts), Counter())
                    for parts in ([p.asked for p in phases], [p.pairs for p in phases]))  # fmt: skip
    if not pairs.total():
        raise UserError(
            f"none of {asked.total()} prompts became a pair, so that no number of them would do; see in "
            "filter_prompts and build_pairs (funnel.jsonl) where they were lost, and in dataset.policies"
        )
    found = []
    for cell in [(language, category) for language in languages for category in categories]:
        share = expected(cell, asked, pairs, phases)
        short = max(aim.pairs * (FIRST if len(phases) == 1 else 1) - pairs[cell], 0)
        # By chance a cell has fewer pairs than expected, by one standard deviation or more in one case of six.
        more = min(math.ceil((short + math.sqrt(short)) / share), max(aim.most - asked[cell], 0))
        language, category = cell
        found.append(Need(language=language, category=category, asked=asked[cell], pairs=pairs[cell],
                          share=round(share, 5), more=more))  # fmt: skip
    check(found, aim)
    log.info("%d more prompts in %d cells", sum(n["more"] for n in found), sum(n["more"] > 0 for n in found))
    return found


def expected(cell: Cell, asked: Counter[Cell], pairs: Counter[Cell], phases: Sequence[Counts]) -> float:
    """The share of a cell's next prompts that become pairs.

    Its own share in the last phase that asked it (the more a slot is asked, the more often it says what it has said),
    drawn towards what its language and its category let expect, the more so the less it was asked.
    """
    of_all = rate(pairs.total(), asked.total())
    around = [
        rate(*(sum(n for key, n in part.items() if key[axis] == cell[axis]) for part in (pairs, asked)))
        for axis in (0, 1)
    ]
    prior = min(math.prod(around) / of_all, 1.0)
    last = next((phase for phase in reversed(phases) if phase.asked.get(cell)), None)
    own, number = (last.pairs.get(cell, 0), last.asked[cell]) if last else (0, 0)
    return (own + WEIGHT * prior) / (number + WEIGHT)


def rate(pairs: int, asked: int) -> float:
    """A share that is never none: nothing in so many still is half a pair in one more."""
    return (pairs + 0.5) / (asked + 1)


def check(found: Sequence[Need], aim: Aim) -> None:
    """Stop where the bound leaves a cell without even half of the least that it needs; name the cells."""
    hopeless = [
        need for need in found if need["pairs"] + (aim.most - need["asked"]) * (need["share"] or 0) < aim.least / 2
    ]
    if not hopeless:
        return
    by_category: dict[str, list[str]] = {}
    for need in hopeless:
        by_category.setdefault(need["category"], []).append(need["language"])
    where = "; ".join(f"{category} in {', '.join(codes)}" for category, codes in by_category.items())
    worst = min(hopeless, key=lambda need: need["share"] or 0)
    raise UserError(
        f"too few prompts become pairs in {where}: in {worst['category']} in {worst['language']!r} {worst['pairs']} of "
        f"{worst['asked']}, so that {aim.most} prompts (dataset.fill.most) would not give the {aim.least} pairs that "
        "dataset.split needs; write more activities for it, raise the bound, or set dataset.split.if_short to fewer"
    )
