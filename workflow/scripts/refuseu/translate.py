"""Translation behind one small protocol: a bundled translation memory or the DeepL API."""

import csv
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Protocol

from refuseu.errors import UserError
from refuseu.journal import Journal
from refuseu.languages import language
from refuseu.records import Record, digest

SLOT = re.compile(r"\{[a-z_]+\}")
TEXTS_PER_REQUEST = 50
BYTES_PER_REQUEST = 120 * 1024  # DeepL takes 128 KiB, headers and JSON apart


class Translator(Protocol):
    """Texts in, translations out, in order; None where there is none."""

    def translate(self, texts: Sequence[str], source: str, target: str) -> Iterable[str | None]: ...


class Memory:
    """A translation memory: a TSV with a column ``id`` and one per language.

    A segment with a slot such as ``{activity}`` also translates texts in which another segment of
    the memory fills the slot.
    """

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

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[str | None]:
        return [self._lookup(source, target)(text) for text in texts]

    @cache  # noqa: B019 (one memory per job)
    def _lookup(self, source: str, target: str):
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


class DeepL:
    """The DeepL API through its client; the key comes from ``DEEPL_AUTH_KEY``.

    Parameters
    ----------
    server_url : another server than the client's default
    """

    def __init__(self, server_url: str | None):
        import deepl

        key = os.environ.get("DEEPL_AUTH_KEY", "")
        if not key:
            raise UserError(
                "translation with DeepL needs a key; set DEEPL_AUTH_KEY in the environment "
                "or set dataset.translation.backend to memory"
            )
        self.errors = deepl
        self.client = deepl.DeepLClient(key, server_url=server_url, send_platform_info=False)

    def translate(self, texts: Sequence[str], source: str, target: str) -> Iterator[str | None]:
        """Translate in requests of at most 50 texts; slots such as ``{activity}`` stay as they are.

        Raises
        ------
        UserError
            If the quota does not suffice, the key is refused, a language has no code, or a slot was
            lost in translation.
        """
        codes = language(source).deepl_source, language(target).deepl_target
        if not all(codes):
            raise UserError(
                f"DeepL does not translate {source!r} into {target!r}: resources/languages.tsv has no code for it; "
                "use a translation memory for that language"
            )
        done = 0
        try:
            self._check_quota(sum(map(len, texts)))
            for chunk in chunks(texts):
                results = self.client.translate_text(
                    [protect(text) for text in chunk],
                    source_lang=codes[0],
                    target_lang=codes[1],
                    tag_handling="xml",
                    ignore_tags=["slot"],
                )
                for text, result in zip(chunk, results, strict=True):
                    yield same_slots(text, unprotect(result.text))
                    done += 1
        except self.errors.AuthorizationException:
            raise UserError("DeepL refused the key in DEEPL_AUTH_KEY; check it") from None
        except self.errors.QuotaExceededException:
            raise UserError(
                f"DeepL's quota is used up, {len(texts) - done} texts are left; the others are kept"
            ) from None

    def _check_quota(self, needed: int) -> None:
        usage = self.client.get_usage().character
        if usage.count is not None and usage.limit is not None and usage.count + needed > usage.limit:
            raise UserError(
                f"translating {needed} characters would exceed DeepL's quota by "
                f"{usage.count + needed - usage.limit}; raise the quota or translate fewer seeds"
            )


def translator(backend: str, memory: str | None, server_url: str | None) -> Translator:
    """The translator that the config asks for (``dataset.translation``)."""
    if backend == "deepl":
        return DeepL(server_url)
    if not memory:
        raise UserError("dataset.translation.memory is empty; name a translation memory (a TSV) there")
    return Memory(memory)


def chunks(texts: Sequence[str]) -> list[list[str]]:
    """Split into requests within DeepL's limits of texts and bytes."""
    parts: list[list[str]] = [[]]
    size = 0
    for text in texts:
        weight = len(json.dumps(text).encode())
        if parts[-1] and (len(parts[-1]) == TEXTS_PER_REQUEST or size + weight > BYTES_PER_REQUEST):
            parts.append([])
            size = 0
        parts[-1].append(text)
        size += weight
    return parts


def same_slots(text: str, translated: str) -> str:
    """The translation, if it has the slots of its source."""
    if sorted(SLOT.findall(translated)) != sorted(SLOT.findall(text)):
        raise UserError(f"DeepL lost a slot of {text!r} in {translated!r}; reword the seed")
    return translated


def protect(text: str) -> str:
    """XML in which each slot is an element that DeepL leaves alone."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return SLOT.sub(lambda match: f"<slot>{match.group()}</slot>", escaped)


def unprotect(text: str) -> str:
    plain = re.sub(r"</?slot>", "", text)
    return plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


class Journaled:
    """A translator that pays for no character twice.

    Parameters
    ----------
    settings : ``dataset.translation`` of the config
    path : the journal
    """

    def __init__(self, settings: dict[str, str | None], path: str | Path):
        self.settings, self.journal = settings, Journal(path)

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[str | None]:
        """As the translator of the config, but only what the journal does not hold."""

        def ask(missing: list[str]) -> Iterator[tuple[int, Record]]:
            inner = translator(**self.settings)
            for index, text in enumerate(inner.translate(missing, source, target)):
                yield index, {"text": text}

        # A memory is local data that may be mended at any time; only what is paid for is kept.
        if self.settings["backend"] == "memory":
            return list(translator(**self.settings).translate(texts, source, target))
        keys = [digest(self.settings["backend"], source, target, text) for text in texts]
        return [record["text"] for record in self.journal.ask(texts, keys, ask)]
