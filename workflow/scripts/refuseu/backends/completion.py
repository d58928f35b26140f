"""What a backend is given and what it returns."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from refuseu.templates import fill


class Formatted(str):
    """Raw text whose layout may have special tokens, and what fills it none.

    Parameters
    ----------
    layout : with slots
    values : by slot
    """

    layout: str
    values: dict[str, str]

    def __new__(cls, layout: str, values: dict[str, str]) -> "Formatted":
        made = super().__new__(cls, fill(layout, values))
        made.layout, made.values = layout, values
        return made


Conversation = list[dict[str, str]] | str
TOP = 20  # first log-probabilities per completion: the most that OpenAI and vLLM give
# Reasoning models of the gpt-oss family answer in channels; what they say is in the final one.
CHANNEL = "<|channel|>"
FINAL = re.compile(r"<\|channel\|>final.*?<\|message\|>(.*?)(?:<\|(?:end|return|start|call)\|>|\Z)", re.DOTALL)


@dataclass(frozen=True)
class Decoding:
    """How a completion is drawn.

    Attributes
    ----------
    temperature : 0 is greedy
    top_p : nucleus
    max_new_tokens : longest completion in tokens
    first_logprobs : whether the log-probabilities of the first word are wanted (judges)
    """

    temperature: float
    top_p: float
    max_new_tokens: int
    first_logprobs: bool = False


@dataclass(frozen=True)
class Completion:
    """What a model says.

    Attributes
    ----------
    text : without special tokens and reasoning; may be empty
    finish_reason : stop, length, or content_filter (a server did not let the model answer)
    prompt_tokens, completion_tokens : counts
    first_logprobs : token → log-probability at the first position that is not blank, where asked
        for and available
    """

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    first_logprobs: dict[str, float] | None = None


class Backend(Protocol):
    """Conversations in, completions out, as (index, completion) in any order."""

    def complete(
        self, conversations: Sequence[Conversation], decoding: Decoding, seeds: Sequence[int]
    ) -> Iterator[tuple[int, Completion]]: ...

    def close(self) -> None:
        """Give back what answers: processes, GPUs, folders. Nothing is asked afterwards."""


def final(text: str) -> str:
    """What a model says to its user: of an answer in channels the last final one, of others everything.

    Reasoning that was cut before a final channel began is an empty answer.
    """
    if CHANNEL not in text:
        return text
    found = FINAL.findall(text)
    return found[-1] if found else ""
