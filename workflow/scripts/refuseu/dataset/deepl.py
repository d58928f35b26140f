"""Translation by the DeepL API."""

import html
import json
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from refuseu.dataset.translator import SLOT, Wanted
from refuseu.errors import UserError
from refuseu.job import environment
from refuseu.job.progress import tell_of_waiting
from refuseu.languages import language

TAG = re.compile(r'</?slot>|<char n="(\d+)" ?/?>|</char>')
RETRY = re.compile(r"Starting retry (\d+) .* after sleeping for ([\d.]+) seconds")  # as the client logs it
NOT_IN_XML = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]")  # and \r, which XML would read as \n
TEXTS_PER_REQUEST = 50
BYTES_PER_REQUEST = 127 * 1024  # DeepL takes 128 KiB; the other fields of the body take 200 bytes
RETRIES = 8
TIMEOUT = 120.0  # seconds; an answer that is given up may have been paid for


class DeepL:
    """The DeepL API through its client; the key comes from ``DEEPL_AUTH_KEY``.

    Parameters
    ----------
    server_url : another server than the client's default
    target_codes : ISO 639-1 code → target code of the API, where not that of resources/languages.tsv
    """

    cure = "reword the seed; what DeepL answered is kept, so that another run would find it again"

    def __init__(self, server_url: str | None, target_codes: dict[str, str]):
        self.server_url, self.target_codes = server_url, target_codes

    @cached_property
    def client(self) -> Any:
        import deepl

        key = environment.key("DEEPL_AUTH_KEY")
        if not key:
            raise UserError(
                "translation with DeepL needs a key; set DEEPL_AUTH_KEY in the environment "
                "or set dataset.translation.backend to memory"
            )
        # The client takes both from its module only.
        deepl.http_client.max_network_retries, deepl.http_client.min_connection_timeout = RETRIES, TIMEOUT
        return deepl.DeepLClient(key, server_url=self.server_url, send_platform_info=False)

    def codes(self, source: str, target: str) -> tuple[str, str]:
        """The API's codes of a source and a target language.

        Raises
        ------
        UserError
            If it has none.
        """
        found = language(source).deepl_source, self.target_codes.get(target) or language(target).deepl_target
        if not all(found):
            raise UserError(
                f"DeepL does not translate {source!r} into {target!r}: resources/languages.tsv has no code for it; "
                "use a translation memory for that language"
            )
        return found

    def translate(self, wanted: Sequence[Wanted]) -> Iterator[str]:
        """Translate; texts without a letter outside their slots are their own translation and not sent.

        Raises
        ------
        UserError
            Before the first paid request if a language has no code or one that DeepL does not know, a
            text is too large, the key is refused or the quota does not suffice for all texts; later, if
            DeepL fails in spite of retries.
        """
        sent = [one for one in wanted if has_words(one.text)]
        answers = self._ask(chunks(sent), len(sent))
        for one in wanted:
            yield next(answers) if has_words(one.text) else one.text

    def _ask(self, parts: Sequence[Sequence[Wanted]], total: int) -> Iterator[str]:
        import deepl

        pairs = [self.codes(part[0].source, part[0].target) for part in parts]
        left = total
        try:
            with retries_told():
                if parts:
                    self._check_codes(parts)
                    self._check_quota([one.text for part in parts for one in part])
                for part, (source, target) in zip(parts, pairs, strict=True):
                    results = self.client.translate_text(
                        [protect(one.text) for one in part],
                        source_lang=source,
                        target_lang=target,
                        tag_handling="xml",
                        ignore_tags=["slot"],
                    )
                    if len(results) != len(part):
                        raise deepl.DeepLException("an answer with another number of texts")
                    for result in results:
                        yield unprotect(result.text)
                        left -= 1
        except deepl.DeepLException as error:
            raise readable(error, left) from None

    def _check_codes(self, parts: Sequence[Sequence[Wanted]]) -> None:
        """Hold all codes against the server's lists: an unknown one would be refused when its turn came, not before."""
        import deepl

        lists = self.client.get_source_languages(), self.client.get_target_languages()
        if not all(lists):
            raise deepl.DeepLException("no languages")
        for names in dict.fromkeys(part[0][1:] for part in parts):
            for end, name, code, known in zip(("source", "target"), names, self.codes(*names), lists, strict=True):
                if code.upper() not in {one.code.upper() for one in known}:
                    raise UserError(
                        f"DeepL has no {end} language {code!r}, which stands for {language(name).name} ({name!r}); "
                        "nothing was sent, correct dataset.translation.target_codes or resources/languages.tsv, or use "
                        "a translation memory"
                    )

    def _check_quota(self, texts: Sequence[str]) -> None:
        needed = sum(map(billed, texts))
        usage = self.client.get_usage().character
        if usage.count is not None and usage.limit is not None and usage.count + needed > usage.limit:
            raise UserError(
                f"translating {needed} characters would exceed DeepL's quota by "
                f"{usage.count + needed - usage.limit}; nothing was sent, raise the quota or translate fewer texts"
            )


@contextmanager
def retries_told() -> Iterator[None]:
    """Say that the client tries again, which it does for many minutes and only logs."""

    class Told(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if found := RETRY.search(record.getMessage()):
                number, seconds = int(found[1]), float(found[2])
                tell_of_waiting(f"DeepL gave no answer, asked again in {seconds:.0f} s ({number} of {RETRIES} times)")

    client, told = logging.getLogger("deepl"), Told()
    before = client.level
    client.addHandler(told)
    client.setLevel(logging.INFO)
    try:
        yield
    finally:
        client.setLevel(before)
        client.removeHandler(told)


def readable(error: Exception, left: int) -> UserError:
    """A sentence for a failure of DeepL; never the request, its headers or the server's words."""
    import deepl

    said = {
        deepl.AuthorizationException: "refused the key in DEEPL_AUTH_KEY; check it",
        deepl.QuotaExceededException: "says that the quota is used up; raise it or wait for the next month",
        deepl.TooManyRequestsException: f"took no more requests after {RETRIES} retries; run again later",
        deepl.ConnectionException: "cannot be reached or gave no whole answer in time; run again when "
        "the network and dataset.translation.server_url are right",
    }
    status = getattr(error, "http_status_code", None)
    cure = "correct dataset.translation or the texts" if status in range(400, 500) else "run again later"
    other = f"answered {status or 'with something else than translations'}; {cure}"
    return UserError(f"DeepL {said.get(type(error), other)} ({left} texts are left, translations so far are kept)")


def chunks(wanted: Sequence[Wanted]) -> list[list[Wanted]]:
    """Split into requests of one pair of languages, within DeepL's limits of texts and bytes.

    Raises
    ------
    UserError
        If a text alone is too large for a request.
    """
    parts: list[list[Wanted]] = []
    size = 0
    for one in wanted:
        weight = len(json.dumps(protect(one.text))) + 2  # the client sends ASCII, with ", " between texts
        if weight > BYTES_PER_REQUEST:
            raise UserError(
                f"the text {one.text[:40]!r}… takes {weight} bytes in a request to DeepL, which takes "
                f"{BYTES_PER_REQUEST}; shorten it"
            )
        if (
            not parts
            or len(parts[-1]) == TEXTS_PER_REQUEST
            or size + weight > BYTES_PER_REQUEST
            or parts[-1][0][1:] != one[1:]
        ):
            parts.append([])
            size = 0
        parts[-1].append(one)
        size += weight
    return parts


def has_words(text: str) -> bool:
    """Whether there is a letter outside the slots."""
    return any(character.isalpha() for character in SLOT.sub("", text))


def billed(text: str) -> int:
    """Characters that DeepL counts: code points outside tags, and none of a text that is not sent.

    Whether ``&amp;`` counts as one or five is not documented; five are assumed.
    """
    return len(TAG.sub("", protect(text))) if has_words(text) else 0


def protect(text: str) -> str:
    """XML in which each slot, and each character that XML cannot hold, is an element that DeepL leaves alone."""
    escaped = html.escape(text, quote=False)
    elements = NOT_IN_XML.sub(lambda match: f'<char n="{ord(match[0])}"/>', escaped)
    return SLOT.sub(lambda match: f"<slot>{match[0]}</slot>", elements)


def unprotect(text: str) -> str:
    """The text behind such XML."""
    return html.unescape(TAG.sub(lambda match: chr(int(match[1])) if match[1] else "", text))
