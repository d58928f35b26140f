"""From seeds to requests: what is asked of the generators and of the models that answer."""

import logging
import random
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from refuseu.dataset.translation import Translator, Wanted
from refuseu.errors import UserError
from refuseu.records import Record, digest
from refuseu.schemas import check, duplicate, load_schema, read_tsv
from refuseu.templates import fill

log = logging.getLogger("refuseu")

SHEETS = {"category": "categories", "activity": "activities", "style": "styles", "template": "templates"}
SLOTS = ("{style}", "{category}", "{activity}")  # of the template generate_prompt


@dataclass(frozen=True)
class Seed:
    """A seed in one language.

    Attributes
    ----------
    kind : category, activity, style or template
    key : its id within the kind, e.g. ``S1``, ``S1-2``, ``slang``, ``refuse``
    category : of an activity; empty otherwise
    """

    kind: str
    key: str
    category: str
    language: str
    text: str


@dataclass(frozen=True)
class Slot:
    """A generation slot; rows of one slot in two languages are not translations of each other."""

    category: str
    activity: str
    style: str

    @property
    def id(self) -> str:
        return f"{self.activity}-{self.style}"


def read_seeds(folder: str | Path, language: str) -> list[Seed]:
    """The seeds as written by hand.

    Raises
    ------
    UserError
        If a sheet is missing, broken or empty, an id occurs twice, an activity's category is unknown, or
        a template is missing or lacks a slot.
    """
    seeds = []
    for kind, name in SHEETS.items():
        path = Path(folder) / f"{name}.tsv"
        rows = read_tsv(path, list(load_schema(name)["properties"]))
        for number, row in enumerate(rows, start=2):
            check(row, name, f"{path}, line {number}")
        if not rows:
            raise UserError(f"{path} has no row; add at least one {kind}")
        duplicate([row[kind] for row in rows], str(path), "ids")
        seeds += [Seed(kind, row[kind], row.get("category", "") if kind == "activity" else "", language, row["text"])
                  for row in rows]  # fmt: skip
    texts = {(seed.kind, seed.key): seed.text for seed in seeds}
    for seed in seeds:
        if seed.kind == "activity" and ("category", seed.category) not in texts:
            raise UserError(
                f"{folder}/activities.tsv: activity {seed.key!r} has the category {seed.category!r}, "
                "which categories.tsv does not list; add or correct it"
            )
    for name, slots in (("generate_prompt", SLOTS), ("refuse", ())):
        if ("template", name) not in texts:
            raise UserError(f"{folder}/templates.tsv has no template {name!r}; add its row")
        for slot in slots:
            if slot not in texts["template", name]:
                raise UserError(f"{folder}/templates.tsv: the template {name!r} lacks the slot {slot}; add it")
    return seeds


def translate_seeds(seeds: Sequence[Seed], languages: Sequence[str], translator: Translator) -> list[Record]:
    """The seeds in every language, as records with the fields of `Seed`.

    Raises
    ------
    UserError
        If a seed has no translation.
    """
    source = seeds[0].language
    wanted = [Wanted(seed.text, source, language) for language in languages if language != source for seed in seeds]
    found = iter(translator.translate(wanted))
    records = []
    for language in languages:
        for seed in seeds:
            text = seed.text if language == source else next(found)
            if text is None:
                raise UserError(
                    f"the {seed.kind} {seed.key!r} ({seed.text!r}) has no translation into {language!r} that keeps "
                    "its slots; add the segment to the translation memory, or reword the seed"
                )
            records.append(asdict(seed) | {"language": language, "text": text})
    return records


def slots(seeds: Iterable[Record]) -> list[Slot]:
    """Every activity in every style, in the order of the seeds."""
    rows = list(seeds)
    first = rows[0]["language"]
    rows = [row for row in rows if row["language"] == first]
    styles = [row["key"] for row in rows if row["kind"] == "style"]
    return [Slot(row["category"], row["key"], style)
            for row in rows if row["kind"] == "activity" for style in styles]  # fmt: skip


def requests(
    seeds: Sequence[Record],
    languages: Sequence[str],
    per_slot: int,
    total: int | None,
    seed: int,
    per_category: int | None = None,
) -> list[Record]:
    """What a generator is asked: one record per wanted prompt, with its message and sampling seed.

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
    records = []
    for language in languages:
        wanted = every
        if total is not None:
            rng = random.Random(digest("pilot", language, seed))
            wanted = rng.sample(wanted, min(total, len(wanted)))
        for slot, n in wanted:
            prompt_id = f"{language}-{slot.id}-{n}"
            parts = {"style": slot.style, "category": slot.category, "activity": slot.activity}
            message = fill(
                text[language, "template", "generate_prompt"],
                {kind: text[language, kind, key] for kind, key in parts.items()},
            )
            records.append(
                {"prompt_id": prompt_id, "language": language, **asdict(slot), "message": message,
                 "seed": int(digest(prompt_id, seed)[:12], 16)}
            )  # fmt: skip
    return records


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
    prompts: Sequence[Record], seeds: Sequence[Record], side: str, seed: int
) -> tuple[list[list[dict[str, str]]], list[int]]:
    """Conversations and sampling seeds for one side of the pairs.

    The chosen side is told, in the prompt's language, to refuse and to say why; the rejected side gets
    the bare prompt.
    """
    refuse = {row["language"]: row["text"] for row in seeds if (row["kind"], row["key"]) == ("template", "refuse")}
    conversations = []
    for prompt in prompts:
        turn = {"role": "user", "content": prompt["prompt"]}
        instruction = {"role": "system", "content": refuse[prompt["language"]]}
        conversations.append([instruction, turn] if side == "chosen" else [turn])
    return conversations, [int(digest(side, prompt["prompt_id"], seed)[:12], 16) for prompt in prompts]


def translate_prompts(pairs: Sequence[Record], languages: Sequence[str], translator: Translator) -> list[Record]:
    """Each pair's prompt in every language: ``pair_id`` and ``translations`` by language.

    Pairs whose prompt has no translation in some language are left out, and counted in the log.
    """
    texts: dict[str, dict[str, str]] = {pair["pair_id"]: {pair["language"]: pair["prompt"]} for pair in pairs}
    missing = [
        (pair["pair_id"], Wanted(pair["prompt"], source, target))
        for source in dict.fromkeys(pair["language"] for pair in pairs)
        for target in languages
        if target != source
        for pair in pairs
        if pair["language"] == source
    ]
    for (key, one), text in zip(missing, translator.translate([one for _, one in missing]), strict=True):
        if text is not None:
            texts[key][one.target] = text
    whole = [
        {"pair_id": key, "translations": {code: found[code] for code in languages}}
        for key, found in texts.items()
        if set(languages) <= set(found)
    ]
    log.info("%d of %d prompts have all translations", len(whole), len(pairs))
    return whole
