"""What the generators and the models that answer are asked."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from refuseu.backends.completion import Conversation
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
    """What a generator is asked: one request per wanted prompt.

    Parameters
    ----------
    per_slot : prompts per slot and language
    total : if given, a random sample of so many per language (the pilot)
    per_category : if given, so many prompts per category and language instead, spread evenly over its slots
    """
    text = {(row["language"], row["kind"], row["key"]): row["text"] for row in seeds}
    every = (
        spread(slots(seeds), per_category, seed)
        if per_category
        else [(slot, n) for slot in slots(seeds) for n in range(per_slot)]
    )
    found = []
    for language in languages:
        wanted = every
        if total is not None:
            rng = random.Random(digest("pilot", language, seed))
            wanted = rng.sample(wanted, min(total, len(wanted)))
        for slot, n in wanted:
            prompt_id = f"{language}-{slot.id}-{n}"
            parts = {"style": slot.style, "category": slot.category, "activity": slot.activity}
            message = fill(
                text[language, "instruction", "generate_prompt"],
                {kind: text[language, kind, key] for kind, key in parts.items()},
            )
            found.append(
                Request(
                    prompt_id=prompt_id,
                    language=language,
                    category=slot.category,
                    activity=slot.activity,
                    style=slot.style,
                    message=message,
                    seed=int(digest(prompt_id, seed)[:12], 16),
                )
            )
    return found


def spread(slots: Sequence[Slot], per_category: int, seed: int) -> list[tuple[Slot, int]]:
    """The same number of prompts for every category: its slots in random order, again and again."""
    by_category: dict[str, list[Slot]] = {}
    for slot in slots:
        by_category.setdefault(slot.category, []).append(slot)
    wanted = []
    for category, own in by_category.items():
        random.Random(digest("spread", category, seed)).shuffle(own)
        wanted += [(own[i % len(own)], i // len(own)) for i in range(per_category)]
    return wanted


def answer_requests(
    prompts: Sequence[Prompt], seeds: Sequence[Seed], side: str, seed: int
) -> tuple[list[Conversation], list[int]]:
    """Conversations and sampling seeds for one side of the pairs.

    The chosen side is told, in the prompt's language, to refuse and to say why; the rejected side gets
    the bare prompt.
    """
    refuse = {row["language"]: row["text"] for row in seeds if (row["kind"], row["key"]) == ("instruction", "refuse")}
    conversations: list[Conversation] = []
    for prompt in prompts:
        turn = {"role": "user", "content": prompt["prompt"]}
        instruction = {"role": "system", "content": refuse[prompt["language"]]}
        conversations.append([instruction, turn] if side == "chosen" else [turn])
    return conversations, [int(digest(side, prompt["prompt_id"], seed)[:12], 16) for prompt in prompts]
