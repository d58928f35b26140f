"""Seeds: what prompts are made from, as written by hand and in every language."""

from collections.abc import Sequence
from pathlib import Path

from refuseu.dataset.translator import Translator, Wanted
from refuseu.errors import UserError
from refuseu.rows import Seed
from refuseu.schemas import check, duplicate, load_schema, read_tsv

SHEETS = {"category": "categories", "activity": "activities", "style": "styles", "instruction": "instructions"}
SLOTS = ("{style}", "{category}", "{activity}")  # of the instruction generate_prompt


def read_seeds(folder: str | Path, language: str) -> list[Seed]:
    """The seeds as written by hand.

    Raises
    ------
    UserError
        If a sheet is missing, broken or empty, an id occurs twice, an activity's category is unknown, or
        an instruction is missing or lacks a slot.
    """
    seeds: list[Seed] = []
    for kind, name in SHEETS.items():
        path = Path(folder) / f"{name}.tsv"
        rows = read_tsv(path, list(load_schema(name)["properties"]))
        for number, row in enumerate(rows, start=2):
            check(row, name, f"{path}, line {number}")
        if not rows:
            raise UserError(f"{path} has no row; add at least one {kind}")
        duplicate([row[kind] for row in rows], str(path), "ids")
        for row in rows:
            category = row["category"] if kind == "activity" else ""
            seeds.append(Seed(kind=kind, key=row[kind], category=category, language=language, text=row["text"]))
    texts = {(seed["kind"], seed["key"]): seed["text"] for seed in seeds}
    for seed in seeds:
        if seed["kind"] == "activity" and ("category", seed["category"]) not in texts:
            raise UserError(
                f"{folder}/activities.tsv: activity {seed['key']!r} has the category {seed['category']!r}, "
                "which categories.tsv does not list; add or correct it"
            )
    for name, slots in (("generate_prompt", SLOTS), ("refuse", ())):
        if ("instruction", name) not in texts:
            raise UserError(f"{folder}/instructions.tsv has no instruction {name!r}; add its row")
        for slot in slots:
            if slot not in texts["instruction", name]:
                raise UserError(f"{folder}/instructions.tsv: the instruction {name!r} lacks the slot {slot}; add it")
    return seeds


def translate_seeds(seeds: Sequence[Seed], languages: Sequence[str], translator: Translator) -> list[Seed]:
    """The seeds in every language.

    Raises
    ------
    UserError
        If a seed has no translation.
    """
    source = seeds[0]["language"]
    wanted = [Wanted(seed["text"], source, language) for language in languages if language != source for seed in seeds]
    found = iter(translator.translate(wanted))
    translated: list[Seed] = []
    for language in languages:
        for seed in seeds:
            text = seed["text"] if language == source else next(found)
            if text is None:
                raise UserError(
                    f"the {seed['kind']} {seed['key']!r} ({seed['text']!r}) has no translation into {language!r} that "
                    f"keeps its slots; {translator.cure}"
                )
            translated.append({**seed, "language": language, "text": text})
    return translated
