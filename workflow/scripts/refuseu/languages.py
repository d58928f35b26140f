"""Languages of the study: names and the codes other components use for them."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from refuseu.errors import UserError

Groups = Mapping[str, Sequence[str]]  # group → codes

TABLE = Path(__file__).parents[3] / "resources" / "languages.tsv"


@dataclass(frozen=True)
class Language:
    """One row of ``resources/languages.tsv``.

    Attributes
    ----------
    code : ISO 639-1 code, as everywhere in the study
    name : English name
    iso639_3 : code in lingua
    fasttext : label of `facebook/fasttext-language-identification` without ``__label__``
    deepl_source, deepl_target : codes of the DeepL API (empty where it has none)
    own_name : name in the language itself
    """

    code: str
    name: str
    iso639_3: str
    fasttext: str
    deepl_source: str
    deepl_target: str
    own_name: str


@cache
def languages() -> dict[str, Language]:
    """All known languages by code."""
    with open(TABLE, encoding="utf-8", newline="") as rows:
        return {row["code"]: Language(**row) for row in csv.DictReader(rows, delimiter="\t")}


def language(code: str) -> Language:
    """The language with this ISO 639-1 code.

    Raises
    ------
    UserError
        If ``resources/languages.tsv`` has no such row.
    """
    try:
        return languages()[code]
    except KeyError:
        raise UserError(
            f"resources/languages.tsv has no language {code!r}; add a row for it or correct the code"
        ) from None


def members(groups: Groups) -> list[str]:
    """Codes of the languages in groups, one group after the other."""
    return [code for group in groups.values() for code in group]
