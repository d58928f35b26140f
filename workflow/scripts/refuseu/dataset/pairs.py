"""Preference pairs: which answers pair up, and which slots are held out for the test."""

import logging
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from refuseu.errors import UserError
from refuseu.records import digest
from refuseu.rows import Answer, Pair, Prompt, Turn

log = logging.getLogger("refuseu")

AGREE = {"all": all, "any": any}


def build_pairs(
    prompts: Sequence[Prompt],
    chosen: Sequence[Answer],
    rejected: Sequence[Answer],
    labels: dict[tuple[str, str], dict[str, str]],
    guards: Sequence[str],
    policies: dict[str, str],
) -> list[Pair]:
    """Preference pairs in TRL's implicit-prompt conversational format.

    A pair is kept when both answers are in the prompt's language, all (any) guards call the chosen one
    safe, and any (all) guards call the rejected one unsafe.

    Parameters
    ----------
    prompts : kept prompts
    chosen, rejected : answers with ``prompt_id``, ``response`` and ``detected``
    labels : (side, guard) → prompt_id → label
    """
    answers = {side: {r["prompt_id"]: r for r in rows} for side, rows in (("chosen", chosen), ("rejected", rejected))}
    pairs = []
    for prompt in prompts:
        key = prompt["prompt_id"]
        if any(answers[side][key]["detected"] != prompt["language"] for side in answers):
            continue
        if not AGREE[policies["chosen_safe"]](labels["chosen", guard][key] == "safe" for guard in guards):
            continue
        if not AGREE[policies["rejected_unsafe"]](labels["rejected", guard][key] == "unsafe" for guard in guards):
            continue
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


def split(
    pairs: Sequence[Pair],
    languages: Sequence[str],
    categories: Sequence[str],
    per_category: int,
    if_short: str,
    by_activity: bool,
    seed: int,
) -> tuple[list[Pair], list[Pair]]:
    """Train pairs and a test set with `per_category` prompts of each category in every language.

    Whole slots (category and style, with `by_activity` also the activity) go to the test, all languages
    together, in a random order, until every language has enough; one that has nothing for a language
    without enough is passed over. What a slot of the test holds beyond that is left out of both. Every
    pair says its ``slot``.

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
            "no preference pair passed the filters; look at filter_prompts/funnel.jsonl and dataset.policies"
        )
    slots: dict[str, dict[str, list[Pair]]] = {category: defaultdict(list) for category in categories}
    for pair in pairs:
        name = slot(pair, by_activity)
        slots[pair["category"]][name].append({**pair, "slot": name})
    train: list[Pair] = []
    test: list[Pair] = []
    for category, by_slot in slots.items():
        order = sorted(by_slot)
        random.Random(digest(category, seed)).shuffle(order)
        held: list[Pair] = []
        hopeless = shortfall([pair for own in by_slot.values() for pair in own], languages, per_category)
        filled = languages if if_short == "stop" else [code for code in languages if code not in hopeless]
        while short := shortfall(held, filled, per_category):
            helpful = [name for name in order if any(pair["language"] in short for pair in by_slot[name])]
            if len(order) < 2 or not helpful:
                break
            order.remove(helpful[0])
            held += by_slot[helpful[0]]
        if short := shortfall(held, languages, per_category):
            said = (
                f"category {category} cannot be filled: {', '.join(f'{code!r} has {n}' for code, n in short.items())} "
                f"test prompts where dataset.split.per_category asks for {per_category}, with a slot left to train on"
            )
            if if_short == "stop":
                raise UserError(f"{said}; lower it, raise prompts_per_slot, or set dataset.split.if_short to fewer")
            log.warning("%s", said)
        for language in languages:
            own = sorted((p for p in held if p["language"] == language), key=lambda p: p["pair_id"])
            test += random.Random(digest("test", category, language, seed)).sample(own, min(per_category, len(own)))
        train += [pair for name in order for pair in by_slot[name]]
    return by_language(train, languages), by_language(test, languages)


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
