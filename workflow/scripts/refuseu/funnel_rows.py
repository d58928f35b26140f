"""What stands in the rows that count how a dataset is built; see `refuseu.rows` for the others."""

from typing import TypedDict


class Need(TypedDict):
    """How many prompts of a category and language a phase asks for, and why.

    Attributes
    ----------
    asked : prompts that were asked for before
    pairs : that they became
    share : of prompts that become pairs, as it is expected; None where nothing was asked
    more : prompts to ask for
    """

    language: str
    category: str
    asked: int
    pairs: int
    share: float | None
    more: int


class FunnelRow(TypedDict):
    """How many prompts or pairs of a language are left after a step.

    Attributes
    ----------
    step : e.g. distinct or unsafe_by_guards
    n : how many
    """

    language: str
    step: str
    n: int
