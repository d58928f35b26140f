"""Preference pairs: which answers pair up, and which slots are held out for the test."""

import itertools
import logging
import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from refuseu.errors import UserError
from refuseu.records import digest
from refuseu.rows import Answer, Pair, Prompt, Turn

log = logging.getLogger("refuseu")

AGREE = {"all": all, "any": any}


def build_pairs(prompts: Sequence[Prompt], chosen: Sequence[Answer], rejected: Sequence[Answer]) -> list[Pair]:
    """Preference pairs in TRL's implicit-prompt conversational format.

    Parameters
    ----------
    prompts : those that are left after the last of `answer_steps`
    chosen, rejected : answers, also to other prompts
    """
    answers = {side: {r["prompt_id"]: r for r in rows} for side, rows in (("chosen", chosen), ("rejected", rejected))}
    pairs = []
    for prompt in prompts:
        key = prompt["prompt_id"]
        turn = Turn(role="user", content=prompt["prompt"])
        both = {side: [turn, Turn(role="assistant", content=answers[side][key]["response"])] for side in answers}
        pairs.append(
            Pair(
                pair_id=key,
                language=prompt["language"],
                category=prompt["category"],
                activity=prompt["activity"],
                style=prompt["style"],
                prompt=prompt["prompt"],
                chosen=both["chosen"],
                rejected=both["rejected"],
            )
        )
    return pairs


def answer_steps(
    prompts: Sequence[Prompt],
    chosen: Sequence[Answer],
    rejected: Sequence[Answer],
    labels: dict[tuple[str, str], dict[str, str]],
    guards: Sequence[str],
    policies: dict[str, str],
) -> dict[str, list[Prompt]]:
    """The prompts that are left after each step of what their answers must be.

    Both answers uncut, and in the prompt's language; all (any) guards call the chosen one safe, and any (all) guards
    call the rejected one unsafe.

    Parameters
    ----------
    prompts : kept prompts
    chosen, rejected : answers with ``prompt_id``, ``response``, ``finish_reason`` and ``detected``
    labels : (side, guard) → prompt_id → label
    """
    answers = [{row["prompt_id"]: row for row in rows} for rows in (chosen, rejected)]

    def said(prompt: Prompt, side: str, label: str) -> Iterator[bool]:
        return (labels[side, guard][prompt["prompt_id"]] == label for guard in guards)

    tests: dict[str, Callable[[Prompt], bool]] = {
        "uncut_answers": lambda p: all(side[p["prompt_id"]]["finish_reason"] != "length" for side in answers),
        "answers_in_language": lambda p: all(side[p["prompt_id"]]["detected"] == p["language"] for side in answers),
        "chosen_safe": lambda p: AGREE[policies["chosen_safe"]](said(p, "chosen", "safe")),
        "rejected_unsafe": lambda p: AGREE[policies["rejected_unsafe"]](said(p, "rejected", "unsafe")),
    }
    left, steps = list(prompts), {}
    for step, passes in tests.items():
        steps[step] = left = [prompt for prompt in left if passes(prompt)]
    return steps


def split(
    pairs: Sequence[Pair],
    languages: Sequence[str],
    categories: Sequence[str],
    per_category: int,
    if_short: str,
    by_activity: bool,
    held_out: float,
    seed: int,
) -> tuple[list[Pair], list[Pair]]:
    """Train pairs and a test set with `per_category` prompts of each category in every language.

    Whole slots (category and style, with `by_activity` also the activity) go to the test, all languages together, until
    every language has enough, and until the share `held_out` of the category's slots is in it: the more slots a test
    has, the more it says of requests that nobody wrote down. They are taken style by style, those that the test has
    least of first, otherwise in a random order; a slot that has nothing for a language without enough is passed over.
    Of a language's prompts the test has as many of each slot, and of each activity in it, as there are to be had; what
    its slots hold beyond that is left out of both. Every pair says its ``slot``.

    Parameters
    ----------
    languages, categories : of the study
    if_short : where a category cannot be filled in some language, or only from its last slot, ``stop`` or
        let the test have ``fewer`` of its prompts: those in the slots that the other languages need

    Raises
    ------
    UserError
        If there is no pair at all, or a category cannot be filled and that shall stop the run.
    """
    if not pairs:
        raise UserError(
            "no preference pair passed the filters; look at the funnel.jsonl of filter_prompts and build_pairs and at "
            "dataset.policies"
        )
    slots: dict[str, dict[str, list[Pair]]] = {category: defaultdict(list) for category in categories}
    for pair in pairs:
        name = slot(pair, by_activity)
        slots[pair["category"]][name].append({**pair, "slot": name})
    train: list[Pair] = []
    test: list[Pair] = []
    styles: Counter[str] = Counter()
    for category, by_slot in slots.items():
        order = sorted(by_slot)
        random.Random(digest(category, seed)).shuffle(order)
        held: list[Pair] = []
        hopeless = shortfall([pair for own in by_slot.values() for pair in own], languages, per_category)
        filled = languages if if_short == "stop" else [code for code in languages if code not in hopeless]
        wanted = len(by_slot) - math.ceil(held_out * len(by_slot))
        while (short := shortfall(held, filled, per_category)) or len(order) > wanted:
            helpful = [name for name in order if not short or any(pair["language"] in short for pair in by_slot[name])]
            if len(order) < 2 or not helpful:
                break
            chosen = min(helpful, key=lambda name: styles[by_slot[name][0]["style"]])
            order.remove(chosen)
            held += by_slot[chosen]
            styles[by_slot[chosen][0]["style"]] += 1
        if short := shortfall(held, languages, per_category):
            said = (
                f"category {category} cannot be filled: {', '.join(f'{code!r} has {n}' for code, n in short.items())} "
                f"test prompts where dataset.split.per_category asks for {per_category}, with a slot left to train on"
            )
            if if_short == "stop":
                raise UserError(
                    f"{said}; lower it, ask for more prompts (in dataset.fill, or prompts_per_slot), or set "
                    "dataset.split.if_short to fewer"
                )
            log.warning("%s", said)
        for language in languages:
            own = sorted((p for p in held if p["language"] == language), key=lambda p: p["pair_id"])
            test += evenly(own, per_category, random.Random(digest("test", category, language, seed)))
        train += [pair for name in order for pair in by_slot[name]]
    return by_language(train, languages), by_language(test, languages)


def evenly(pairs: Sequence[Pair], number: int, rng: random.Random) -> list[Pair]:
    """So many pairs at random, as many of each slot as there are to be had, and of each activity in a slot."""
    by_slot: dict[str, dict[str, list[Pair]]] = defaultdict(lambda: defaultdict(list))
    for pair in rng.sample(pairs, len(pairs)):
        by_slot[pair["slot"]][pair["activity"]].append(pair)
    turns = [interleaved(list(own.values())) for own in by_slot.values()]
    return interleaved(turns)[:number]


def interleaved(lists: Sequence[Sequence[Pair]]) -> list[Pair]:
    """The first of each list, then the second of each, and so on."""
    rounds = itertools.zip_longest(*lists)
    return [row for turn in rounds for row in turn if row is not None]


def slot(pair: Pair, by_activity: bool) -> str:
    """What goes to one half as a whole, such as ``S1/slang``."""
    return "/".join([pair["category"], pair["style"], *([pair["activity"]] if by_activity else [])])


def shortfall(held: Sequence[Pair], languages: Sequence[str], wanted: int) -> dict[str, int]:
    """The languages with fewer rows than wanted, and how many they have."""
    counts = Counter(pair["language"] for pair in held)
    return {code: counts[code] for code in languages if counts[code] < wanted}


def by_language(pairs: Iterable[Pair], languages: Sequence[str]) -> list[Pair]:
    return sorted(pairs, key=lambda pair: (languages.index(pair["language"]), pair["pair_id"]))


def select(pairs: Sequence[Pair], languages: Sequence[str], taker: str) -> list[Pair]:
    """The pairs in these languages, for a variant or a route of translation.

    Raises
    ------
    UserError
        If one of its languages has none.
    """
    for language in languages:
        if not any(pair["language"] == language for pair in pairs):
            raise UserError(f"{taker!r} takes pairs in {language!r}, but the dataset has none")
    return [pair for pair in pairs if pair["language"] in languages]


def training_pairs(
    every: Sequence[Pair], languages: Sequence[str], as_many_as: Sequence[str], taker: str, seed: int
) -> list[Pair]:
    """The pairs that a variant trains on: all in its languages, or a random sample, evenly over them.

    Parameters
    ----------
    as_many_as : languages; as many pairs as there are in these are drawn, none for all

    Raises
    ------
    UserError
        If a language has none, or fewer than its part.
    """
    own = select(every, languages, taker)
    if not as_many_as:
        return own
    part, left = divmod(sum(pair["language"] in as_many_as for pair in every), len(languages))
    found = []
    for place, code in enumerate(languages):
        pairs, wanted = [pair for pair in own if pair["language"] == code], part + (place < left)
        if len(pairs) < wanted:
            raise UserError(
                f"{taker!r} takes {wanted} pairs in {code!r}, but the dataset has {len(pairs)}; name fewer languages "
                "in its recipe's pairs.as_many_as"
            )
        found += random.Random(digest("as many as", taker, code, seed)).sample(pairs, wanted)
    return by_language(found, languages)
