"""What config and sheets call by names that the code declares: layouts of benchmarks, formats of judges, templates."""

from typing import Any

from refuseu.errors import UserError
from refuseu.evaluation.benchmarks import LOADERS
from refuseu.evaluation.guards import FORMATS, TEMPLATES
from refuseu.schemas import either, one_of, same_keys

NO_GUARDS = ("chat", "rating")  # formats of what answers and of what rates fluency
PROMPTED = ["harmful", "benign", "fluency"]  # kinds of benchmarks with prompts


def check_templates(config: dict[str, Any], source: str) -> None:
    """The config has a file for each template that a format names, and no other."""
    named = dict.fromkeys(name for names in TEMPLATES.values() for name in names)
    if isinstance(found := config.get("templates"), dict):  # else the schema says what is wrong
        same_keys(found, named, f"{source}, key templates")


def check_row(sheet: str, row: dict[str, str], where: str) -> None:
    """A model has a known format; a benchmark has a known source, which fits its kind."""
    if sheet == "models":
        chat, rating = NO_GUARDS
        one_of(row["format"], [chat, *FORMATS, rating], f"{where}, key format", "how it is addressed and read")
    elif sheet == "benchmarks":
        source, kind = row["source"], row["kind"]
        one_of(source, list(LOADERS), f"{where}, key source", "the loader")
        at = f"{where}, key kind: {kind!r} does not fit"
        if LOADERS[source].options and kind in PROMPTED:
            cure = f"knowledge, because source {source} is questions with options"
            raise UserError(f"{at} ('knowledge' was expected); expected: {cure}")
        if kind == "knowledge" and not LOADERS[source].options:
            cure = f"knowledge is for source {either([name for name, loader in LOADERS.items() if loader.options])}"
            raise UserError(f"{at} ({kind!r} is not one of {PROMPTED}); expected: {either(PROMPTED)}; {cure}")
