"""What every translator is given and gives back."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

SLOT = re.compile(r"\{[a-z_]+\}")


class Wanted(NamedTuple):
    """A text to translate.

    Attributes
    ----------
    text : in the source language
    source, target : ISO 639-1 codes
    """

    text: str
    source: str
    target: str


class Translator(Protocol):
    """All texts of a job in, translations out, in order; None where there is none.

    Attributes
    ----------
    cure : what a user can do about a seed without a translation
    """

    @property
    def cure(self) -> str: ...

    def translate(self, wanted: Sequence[Wanted]) -> Iterable[str | None]: ...


def same_slots(text: str, translated: str) -> bool:
    """Whether a translation has the slots of its source."""
    return sorted(SLOT.findall(translated)) == sorted(SLOT.findall(text))
