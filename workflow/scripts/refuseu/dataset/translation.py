"""The translator of the config, with a journal of what is paid for, which all jobs of a study share.

Whoever asks has the journal alone until all is answered: of two jobs that want the same text the second finds it, and
the quota that one has checked is not spent by another.
"""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from refuseu.dataset.deepl import DeepL, billed
from refuseu.dataset.memory import Memory
from refuseu.dataset.translator import Wanted, same_slots
from refuseu.errors import UserError
from refuseu.job.journal import Journal
from refuseu.records import Record, digest

log = logging.getLogger("refuseu")


def translator(
    backend: str, memory: str | None, server_url: str | None, target_codes: dict[str, str]
) -> Memory | DeepL:
    """The translator that the config asks for (``dataset.translation``).

    Raises
    ------
    UserError
        If it is a memory and none is named.
    """
    if backend == "deepl":
        return DeepL(server_url, target_codes)
    if not memory:
        raise UserError("dataset.translation.memory is empty; name a translation memory (a TSV) there")
    return Memory(memory)


class Journaled:
    """The translator of the config; of what is paid for, it asks only for what its journal does not hold.

    Parameters
    ----------
    settings : ``dataset.translation`` of the config
    path : the journal of the study
    """

    def __init__(self, settings: dict[str, Any], path: str | Path):
        self.inner, self.journal = translator(**settings), Journal(path, settings["backend"])
        self.cure = self.inner.cure

    def translate(self, wanted: Sequence[Wanted]) -> list[str | None]:
        """As the translator, but None also where a translation lost or gained a slot."""
        if isinstance(self.inner, Memory):  # may be mended at any time, so nothing of it is kept
            found: Sequence[str | None] = self.inner.translate(wanted)
        else:
            keys = [digest("deepl", *self.inner.codes(one.source, one.target), one.text) for one in wanted]
            found = [record["text"] for record in self.journal.ask(wanted, keys, self._ask)]
        return [None if text is None else self._checked(one, text) for one, text in zip(wanted, found, strict=True)]

    def _ask(self, missing: list[Wanted]) -> Iterator[tuple[int, Record]]:
        answers = zip(missing, self.inner.translate(missing), strict=True)
        return enumerate({"text": text, "characters": billed(one.text)} for one, text in answers)

    def _checked(self, one: Wanted, text: str) -> str | None:
        if same_slots(one.text, text):
            return text
        log.warning("the slots of %r are not those of its translation into %r: %r", one.text, one.target, text)
        return None
