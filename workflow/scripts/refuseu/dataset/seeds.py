"""Seeds: what prompts are made from, as written by hand and in every language."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from refuseu.dataset.translator import Translator, Wanted
from refuseu.errors import UserError
from refuseu.languages import language as known
from refuseu.rows import Seed
from refuseu.schemas import check, duplicate, load_schema, read_tsv
from refuseu.templates import fill

SHEETS = {"category": "categories", "activity": "activities", "style": "styles", "instruction": "instructions"}
SLOTTED = "generate_prompt"
SLOTS = ("{style}", "{category}", "{activity}")  # that this instruction must have
DEFINITION = "{definition}"  # of the style, for those who ask for it


def read_seeds(folder: str | Path, language: str, instructions: str | Path | None = None) -> list[Seed]:
    """The seeds as written by hand.

    Definitions of styles are seeds only where the instruction asks for them: each is translated, and paid.

    Parameters
    ----------
    instructions : another sheet of instructions than that of the folder

    Raises
    ------
    UserError
        If a sheet is missing, broken or empty, an id occurs twice, an activity's category is unknown, a category has
        no activity, an instruction is missing or lacks a slot, or a style lacks the definition that is asked for.
    """
    seeds: list[Seed] = []
    definitions: dict[str, str] = {}
    for kind, name in SHEETS.items():
        path = Path(instructions if instructions and kind == "instruction" else Path(folder) / f"{name}.tsv")
        rows = read_tsv(path, list(load_schema(name)["properties"]), optional=["definition"])
        for number, row in enumerate(rows, start=2):
            check(row, name, f"{path}, line {number}")
        if not rows:
            raise UserError(f"{path} has no row; add at least one {kind}")
        duplicate([row[kind] for row in rows], str(path), "ids")
        for row in rows:
            category = row["category"] if kind == "activity" else ""
            seeds.append(Seed(kind=kind, key=row[kind], category=category, language=language, text=row["text"]))
        if kind == "style":
            definitions = {row["style"]: row.get("definition", "") for row in rows}
    texts = {(seed["kind"], seed["key"]): seed["text"] for seed in seeds}
    for seed in seeds:
        if seed["kind"] == "activity" and ("category", seed["category"]) not in texts:
            raise UserError(
                f"{folder}/activities.tsv: activity {seed['key']!r} has the category {seed['category']!r}, "
                "which categories.tsv does not list; add or correct it"
            )
    for key in (key for kind, key in texts if kind == "category"):
        if not any(seed["category"] == key for seed in seeds):
            raise UserError(f"{folder}/activities.tsv has no activity of the category {key!r}; add one")
    sheet = instructions or f"{folder}/instructions.tsv"
    for name, slots in ((SLOTTED, SLOTS), ("refuse", ())):
        if ("instruction", name) not in texts:
            raise UserError(f"{sheet} has no instruction {name!r}; add its row")
        for slot in slots:
            if slot not in texts["instruction", name]:
                raise UserError(f"{sheet}: the instruction {name!r} lacks the slot {slot}; add it")
    return seeds + (defined(definitions, language, folder) if DEFINITION in texts["instruction", SLOTTED] else [])


def defined(definitions: Mapping[str, str], language: str, folder: str | Path) -> list[Seed]:
    """What each style is, as seeds.

    Raises
    ------
    UserError
        If a style has no definition.
    """
    if missing := next((style for style, text in definitions.items() if not text), ""):
        raise UserError(
            f"{folder}/styles.tsv: the style {missing!r} has no definition, and the instruction {SLOTTED!r} asks for "
            f"{DEFINITION}; write it, or take the slot out"
        )
    return [
        Seed(kind="definition", key=key, category="", language=language, text=text) for key, text in definitions.items()
    ]


def translate_seeds(seeds: Sequence[Seed], languages: Sequence[str], translator: Translator) -> list[Seed]:
    """The seeds in every language; instructions name theirs where they have the slot ``{language}``.

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
            if seed["kind"] == "instruction":
                text = fill(text, {"language": known(language).own_name})
            translated.append({**seed, "language": language, "text": text})
    return translated
