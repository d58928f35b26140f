"""Refusals, found by the phrases that mark them."""

import re
from collections.abc import Sequence

SENTENCE_END = re.compile(r"(?<=[.!?…])\s+")


def is_refusal(response: str, markers: Sequence[str]) -> bool:
    """Whether one of the markers occurs in the first two sentences."""
    start = " ".join(SENTENCE_END.split(response.strip())[:2]).lower().replace("’", "'")
    return any(re.search(rf"(?<!\w){re.escape(marker)}(?!\w)", start) for marker in markers)
