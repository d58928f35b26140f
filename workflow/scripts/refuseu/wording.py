"""Which guards were trained with one exact text, and where their publishers say which."""

from functools import cache
from pathlib import Path

import yaml

PINS = Path(__file__).parents[3] / "resources" / "templates" / "wording.yaml"


@cache
def pins() -> dict[str, dict[str, str]]:
    """Template → where its publisher's words are, and their digests: `refuseu.assets.excerpt` takes them."""
    with open(PINS, encoding="utf-8") as stream:
        found: dict[str, dict[str, str]] = yaml.safe_load(stream)
        return found
