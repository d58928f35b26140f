"""Translation by a bundled translation memory."""

import csv
import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from refuseu.dataset.translator import SLOT, Wanted
from refuseu.errors import UserError


class Memory:
    """A translation memory: a TSV with a column ``id`` and one per language.

    A segment with a slot such as ``{activity}`` also translates texts in which another segment of
    the memory fills the slot.
    """

    cure = "add the segment to the translation memory, or reword the seed"

    def __init__(self, path: str | Path):
        self.path = Path(path)
        with open(path, encoding="utf-8", newline="") as stream:
            self.rows = list(csv.DictReader(stream, delimiter="\t"))

    def column(self, language: str) -> list[str]:
        """All segments in a language.

        Raises
        ------
        UserError
            If the memory has no such column.
        """
        if language not in self.rows[0]:
            raise UserError(f"{self.path} has no column {language!r}; add one with the translations into that language")
        return [row[language] for row in self.rows]

    def segments(self, kind: str, language: str) -> dict[str, str]:
        """Segments whose id is ``{kind}/…``, by the rest of the id."""
        self.column(language)
        prefix = f"{kind}/"
        return {row["id"].removeprefix(prefix): row[language] for row in self.rows if row["id"].startswith(prefix)}

    def translate(self, wanted: Sequence[Wanted]) -> list[str | None]:
        return [self._lookup(source, target)(text) for text, source, target in wanted]

    @cache  # noqa: B019 (one memory per job)
    def _lookup(self, source: str, target: str) -> Callable[[str], str | None]:
        exact = dict(zip(self.column(source), self.column(target), strict=True))
        frames = [
            (
                re.compile(re.escape(text).replace(re.escape(slot.group()), "(.+)") + r"\Z", re.DOTALL),
                slot.group(),
                out,
            )
            for text, out in exact.items()
            if (slot := SLOT.search(text)) and len(SLOT.findall(text)) == 1
        ]

        def find(text: str) -> str | None:
            if text in exact:
                return exact[text]
            for pattern, slot, out in frames:
                if (match := pattern.match(text)) and match.group(1) in exact:
                    return out.replace(slot, exact[match.group(1)])
            return None

        return find
