"""Chat completions as OpenAI-compatible servers exchange them: requests out, replies in."""

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from refuseu.backends.completion import CHANNEL, TOP, Completion, Conversation, Decoding, final

SURROGATE = re.compile("[\ud800-\udfff]")  # half a character of a reply, such as a cut emoji; UTF-8 has none
# Codes with which a server says that it did not let the model read or answer a prompt.
BLOCKED = ("content_filter", "invalid_prompt")


# Parameters that a server may refuse and that an answer can be had without.
OPTIONAL = ("temperature", "top_p", "seed", "logprobs", "top_logprobs", "max_completion_tokens")
REFUSED = re.compile(
    r"unsupported|n[o']t support|unknown|unrecogni|not permitted|not allowed|unexpected|extra|only the default"
)


class UnreadableReplyError(Exception):
    """A server answered 200, but not with a chat completion."""


class UnsupportedError(Exception):
    """A server refuses a parameter: it can be asked without it."""

    def __init__(self, parameter: str):
        super().__init__(parameter)
        self.parameter = parameter


def request(
    model: str,
    conversation: Conversation,
    decoding: Decoding,
    seed: int,
    more: Mapping[str, Any] | None = None,
    left_out: Collection[str] = (),
) -> dict[str, Any]:
    """The body of the request for one completion.

    Parameters
    ----------
    model : the name the server knows
    more : further parameters, as the row of the model has them
    left_out : parameters that the server refuses; the limit of tokens goes under its older name then
    """
    messages = conversation if isinstance(conversation, list) else [{"role": "user", "content": conversation}]
    body = {
        "model": model,
        "messages": messages,
        "temperature": decoding.temperature,
        "top_p": decoding.top_p,
        "max_completion_tokens": decoding.max_new_tokens,
        **({"seed": seed} if decoding.temperature > 0 else {}),
        **({"logprobs": True, "top_logprobs": TOP} if decoding.first_logprobs else {}),
        **(more or {}),
    }
    if "max_completion_tokens" in left_out:
        body["max_tokens"] = body["max_completion_tokens"]
    return {key: value for key, value in body.items() if key not in left_out}


def unsupported(body: Mapping[str, Any], param: str | None, said: str) -> str:
    """The parameter of a request that a server refuses as such, of those that can be left out; empty if none.

    Parameters
    ----------
    param : what the server names as parameter
    said : its other words
    """
    optional = [name for name in OPTIONAL if name in body]
    if not REFUSED.search(said.lower()):
        return ""
    if param in optional:
        return str(param)
    named = [(found.start(), name) for name in optional if (found := re.search(rf"\b{name}\b", said))]
    return min(named)[1] if named and not param else ""


def without_logprobs(body: dict[str, Any]) -> dict[str, Any]:
    """The same request for a server that gives no log-probabilities."""
    return {key: value for key, value in body.items() if key not in ("logprobs", "top_logprobs")}


def parse(reply: str | dict[str, Any]) -> Completion:
    """Read a chat completion.

    Raises
    ------
    UnreadableReplyError
        If it is none. No text in it is an answer: the empty one.
    """
    try:
        read = json.loads(reply) if isinstance(reply, str) else reply
        choice, usage = read["choices"][0], read.get("usage") or {}
        message = choice["message"]
        said = message.get("content") or message.get("refusal") or ""
        if not isinstance(said, str):
            raise UnreadableReplyError
        reasoned = CHANNEL in said or message.get("reasoning") or message.get("reasoning_content")
        return Completion(
            SURROGATE.sub("\ufffd", final(said)),
            choice.get("finish_reason") or "length",
            int(usage.get("prompt_tokens") or 0),
            int(usage.get("completion_tokens") or 0),
            # Those of a reasoning model begin with its reasoning.
            None if reasoned else first_word((choice.get("logprobs") or {}).get("content")),
        )
    except (ValueError, LookupError, TypeError, AttributeError):
        raise UnreadableReplyError from None


def first_word(tokens: list[dict[str, Any]] | None) -> dict[str, float] | None:
    """Log-probabilities at the first position whose chosen token is not blank."""
    for chosen in tokens or []:
        if chosen["token"].strip():
            candidates = [*(chosen.get("top_logprobs") or []), chosen]
            return {SURROGATE.sub("\ufffd", one["token"]): round(float(one["logprob"]), 5) for one in candidates}
    return None
