"""From seeds to labelled prompts: what is asked of the generators and which prompts are kept."""

import logging
import random
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from refuseu.errors import UserError
from refuseu.records import Record, digest
from refuseu.study import duplicate, read_tsv
from refuseu.templates import fill
from refuseu.translate import Translator

log = logging.getLogger("refuseu")

SHEETS = {
    "category": ("categories.tsv", ["category", "text"]),
    "activity": ("activities.tsv", ["activity", "category", "text"]),
    "style": ("styles.tsv", ["style", "text"]),
    "template": ("templates.tsv", ["template", "text"]),
}


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
        If a sheet is missing or broken, an id occurs twice, or an activity's category is unknown.
    """
    seeds = []
    for kind, (name, columns) in SHEETS.items():
        path = Path(folder) / name
        rows = read_tsv(path, columns)
        duplicate([row[kind] for row in rows], str(path), "ids")
        seeds += [Seed(kind, row[kind], row.get("category", "") if kind == "activity" else "", language, row["text"])
                  for row in rows]  # fmt: skip
    categories = {seed.key for seed in seeds if seed.kind == "category"}
    for seed in seeds:
        if seed.kind == "activity" and seed.category not in categories:
            raise UserError(
                f"{folder}/activities.tsv: activity {seed.key!r} has the category {seed.category!r}, "
                "which categories.tsv does not list; add or correct it"
            )
    return seeds


def translate_seeds(seeds: Sequence[Seed], languages: Sequence[str], translator: Translator) -> list[Record]:
    """The seeds in every language, as records with the fields of `Seed`.

    Raises
    ------
    UserError
        If a seed has no translation.
    """
    records = []
    for language in languages:
        source = seeds[0].language
        texts = [seed.text for seed in seeds]
        translated = texts if language == source else translator.translate(texts, source, language)
        for seed, text in zip(seeds, translated, strict=True):
            if text is None:
                raise UserError(
                    f"the translation memory has no {language!r} for the {seed.kind} {seed.key!r} ({seed.text!r}); "
                    "add the segment"
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
    seeds: Sequence[Record], languages: Sequence[str], per_slot: int, total: int | None, seed: int
) -> list[Record]:
    """What a generator is asked: one record per wanted prompt, with its message and sampling seed.

    Parameters
    ----------
    per_slot : prompts per slot and language
    total : if given, a random sample of so many per language (the pilot)
    """
    text = {(row["language"], row["kind"], row["key"]): row["text"] for row in seeds}
    records = []
    for language in languages:
        wanted = [(slot, n) for slot in slots(seeds) for n in range(per_slot)]
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


def keep_prompts(
    prompts: Sequence[Record], labels: dict[str, dict[str, str]], policy: str
) -> tuple[list[Record], list[Record]]:
    """The prompts that enter the dataset, and how many were left after each step.

    Distinct within their language, in the language asked for, and called unsafe by all (or any) guards.

    Parameters
    ----------
    prompts : records of the generator with ``prompt`` and ``detected``
    labels : guard → prompt_id → label
    policy : all or any
    """
    steps = {"generated": list(prompts)}
    steps["distinct"] = distinct(steps["generated"])
    steps["right_language"] = [p for p in steps["distinct"] if p["detected"] == p["language"]]
    agree = {"all": all, "any": any}[policy]
    steps["unsafe_by_guards"] = [
        p for p in steps["right_language"] if agree(by_id.get(p["prompt_id"]) == "unsafe" for by_id in labels.values())
    ]
    return steps["unsafe_by_guards"], funnel(steps)


def distinct(prompts: Sequence[Record]) -> list[Record]:
    """The first of each text within a language, blanks and case apart; empty texts are dropped."""
    seen: set[tuple[str, str]] = set()
    kept = []
    for prompt in prompts:
        key = (prompt["language"], " ".join(prompt["prompt"].lower().split()))
        if key[1] and key not in seen:
            seen.add(key)
            kept.append(prompt)
    return kept


def funnel(steps: dict[str, Sequence[Record]]) -> list[Record]:
    """Counts per language and step, in order."""
    languages = dict.fromkeys(record["language"] for records in steps.values() for record in records)
    return [
        {"language": language, "step": step, "n": sum(r["language"] == language for r in records)}
        for language in languages
        for step, records in steps.items()
    ]


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
    for source in dict.fromkeys(pair["language"] for pair in pairs):
        own = [pair for pair in pairs if pair["language"] == source]
        for target in languages:
            if target != source:
                translated = translator.translate([pair["prompt"] for pair in own], source, target)
                for pair, text in zip(own, translated, strict=True):
                    if text is not None:
                        texts[pair["pair_id"]][target] = text
    whole = [
        {"pair_id": key, "translations": {code: found[code] for code in languages}}
        for key, found in texts.items()
        if set(languages) <= set(found)
    ]
    log.info("%d of %d prompts have all translations", len(whole), len(pairs))
    return whole
