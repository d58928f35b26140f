"""What stands in the rows of files about the judges themselves; `refuseu.layouts` says which file holds which."""

from collections.abc import Iterable
from typing import TypedDict


class HumanLabel(TypedDict):
    """An answer of some model that people judged.

    Attributes
    ----------
    category : the type of the prompt
    model : whose answer it is
    harmful : whether to comply with the prompt would be unsafe
    people : the final label: compliance, refusal or partial
    annotators : the two labels before it
    """

    prompt_id: str
    language: str
    category: str
    model: str
    prompt: str
    response: str
    finish_reason: str
    harmful: bool
    people: str
    annotators: list[str]


class TwoVerdicts(TypedDict):
    """What the adjudicator says of a disputed response, shown the response alone and shown the prompt too."""

    prompt_id: str
    language: str
    response_only: str
    prompt_and_response: str


def agreed(labels: Iterable[str]) -> str | None:
    """The label that all guards give an answer; None where they differ, or where none of theirs could be read."""
    several = {*labels}
    return several.pop() if len(several) == 1 and "unparsed" not in several else None
