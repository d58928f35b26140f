"""What the generators and the models that answer are asked."""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

from refuseu.backends.completion import Conversation
from refuseu.funnel_rows import Need
from refuseu.records import digest
from refuseu.rows import Prompt, Seed
from refuseu.templates import fill


@dataclass(frozen=True)
class Slot:
    """A generation slot; rows of one slot in two languages are not translations of each other."""

    category: str
    activity: str
    style: str

    @property
    def id(self) -> str:
        return f"{self.activity}-{self.style}"


class Request(TypedDict):
    """One prompt that a generator is asked for.

    Attributes
    ----------
    prompt_id : language, activity, style and number
    category, activity, style : its slot
    message : what the generator is told
    seed : it samples with
    """

    prompt_id: str
    language: str
    category: str
    activity: str
    style: str
    message: str
    seed: int


def slots(seeds: Sequence[Seed]) -> list[Slot]:
    """Every activity in every style, in the order of the seeds."""
    rows = [row for row in seeds if row["language"] == seeds[0]["language"]]
    styles = [row["key"] for row in rows if row["kind"] == "style"]
    return [Slot(row["category"], row["key"], style)
            for row in rows if row["kind"] == "activity" for style in styles]  # fmt: skip


def requests(
    seeds: Sequence[Seed],
    languages: Sequence[str],
    per_slot: int,
    total: int | None,
    seed: int,
    per_category: int | None = None,
) -> list[Request]:
    """What a generator is asked where a fixed number is wanted: one request per prompt.

    Parameters
    ----------
    per_slot : prompts per slot and language
    total : if given, a random sample of so many per language (the pilot)
    per_category : if given, so many prompts per category and language instead, spread evenly over its slots
    """
    every = [(slot, n) for slot in slots(seeds) for n in range(per_slot)]
    if per_category:
        every = [one for own in by_category(slots(seeds), seed).values() for one in turns(own, 0, per_category)]
    wanted = {}
    for code in languages:
        rng = random.Random(digest("pilot", code, seed))
        wanted[code] = every if total is None else rng.sample(every, min(total, len(every)))
    return worded(seeds, wanted, seed)


def needed(seeds: Sequence[Seed], needs: Sequence[Need], seed: int) -> list[Request]:
    """What a generator is asked where each category and language needs its own number: those after what was asked."""
    own = by_category(slots(seeds), seed)
    wanted: dict[str, list[tuple[Slot, int]]] = {}
    for need in needs:
        more = turns(own[need["category"]], need["asked"], need["asked"] + need["more"])
        wanted.setdefault(need["language"], []).extend(more)
    return worded(seeds, wanted, seed)


def worded(seeds: Sequence[Seed], wanted: Mapping[str, Iterable[tuple[Slot, int]]], seed: int) -> list[Request]:
    """One request for each slot and number that is wanted in a language."""
    text = {(row["language"], row["kind"], row["key"]): row["text"] for row in seeds}
    found = []
    for code, own in wanted.items():
        for slot, n in own:
            prompt_id = f"{code}-{slot.id}-{n}"
            parts = {
                "style": text[code, "style", slot.style],
                "definition": text.get((code, "definition", slot.style), ""),
                "category": text[code, "category", slot.category],
                "activity": text[code, "activity", slot.activity],
            }
            found.append(
                Request(
                    prompt_id=prompt_id,
                    language=code,
                    category=slot.category,
                    activity=slot.activity,
                    style=slot.style,
                    message=fill(text[code, "instruction", "generate_prompt"], parts),
                    seed=int(digest(prompt_id, seed)[:12], 16),
                )
            )
    return found


def by_category(slots: Sequence[Slot], seed: int) -> dict[str, list[Slot]]:
    """The slots of each category in random order, the same for all languages."""
    found: dict[str, list[Slot]] = {}
    for slot in slots:
        found.setdefault(slot.category, []).append(slot)
    for category, own in found.items():
        random.Random(digest("spread", category, seed)).shuffle(own)
    return found


def turns(slots: Sequence[Slot], start: int, stop: int) -> list[tuple[Slot, int]]:
    """Some of a category's prompts, if its slots come again and again: slot, and its how-manieth prompt it is."""
    return [(slots[i % len(slots)], i // len(slots)) for i in range(start, stop)]


def answer_requests(
    prompts: Sequence[Prompt], seeds: Sequence[Seed], side: str, seed: int
) -> tuple[list[Conversation], list[int]]:
    """Conversations and sampling seeds for one side of the pairs.

    The chosen side is told, in the prompt's language, to refuse and to say why and with what consequences; the
    rejected side gets the bare prompt.
    """
    refuse = {row["language"]: row["text"] for row in seeds if (row["kind"], row["key"]) == ("instruction", "refuse")}
    conversations: list[Conversation] = []
    for prompt in prompts:
        turn = {"role": "user", "content": prompt["prompt"]}
        instruction = {"role": "system", "content": refuse[prompt["language"]]}
        conversations.append([instruction, turn] if side == "chosen" else [turn])
    return conversations, [int(digest(side, prompt["prompt_id"], seed)[:12], 16) for prompt in prompts]
