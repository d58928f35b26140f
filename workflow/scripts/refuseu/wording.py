"""The exact words that a guard was trained with, from its publisher's own files."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from refuseu.assets import download
from refuseu.errors import UserError

PINS = Path(__file__).parents[3] / "resources" / "templates" / "wording.yaml"


@cache
def pins() -> dict[str, dict[str, str]]:
    """Template → where its publisher's words are, and their digests."""
    with open(PINS, encoding="utf-8") as stream:
        found: dict[str, dict[str, str]] = yaml.safe_load(stream)
        return found


def wording(pin: dict[str, Any], offline: bool) -> str:
    """The text of a pin.

    Raises
    ------
    UserError
        If the file cannot be had, or it or the text in it is another than the pinned one.
    """
    _, _, rest = download(pin["source"], pin["sha256"], offline).decode("utf-8").partition(pin["after"])
    text, _, _ = rest.partition(pin["before"])
    if (found := hashlib.sha256(text.encode()).hexdigest()) != pin["text_sha256"]:
        raise UserError(
            f"the words between {pin['after']!r} and {pin['before']!r} in {pin['source']} have the sha256 {found} and "
            f"not {pin['text_sha256']}; correct {PINS.name}, or set judging.paraphrase and use words of your own"
        )
    return text
