"""Failures of an OpenAI-compatible server: which are worth another attempt, and what a user is told."""

import email.utils
import random
import re
import time
from typing import Any

import openai

from refuseu.asked import Asked
from refuseu.backends.chat import UnreadableReplyError
from refuseu.errors import UserError

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0
LONGEST_ORDERED_PAUSE = 120.0


def pause(error: Exception, attempt: int) -> float | None:
    """Seconds to wait before the next attempt (the first is number 0); None if there should be none."""
    if isinstance(error, openai.APIStatusError):
        repeatable = error.status_code in (408, 409, 429) or error.status_code >= 500
        if not repeatable or error.code == "insufficient_quota":
            return None
        ordered = retry_after(error)
        if ordered is not None:
            return ordered if ordered <= LONGEST_ORDERED_PAUSE else None
    elif not isinstance(error, openai.APIConnectionError | UnreadableReplyError | TimeoutError):
        return None
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0**attempt) * random.uniform(0.5, 1)


def retry_after(error: Exception) -> float | None:
    """Seconds that a server asks to wait (headers ``Retry-After-Ms``, ``Retry-After``), None if it does not."""
    headers = error.response.headers if isinstance(error, openai.APIStatusError) else {}
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        if re.fullmatch(r"\d{1,9}(\.\d*)?", told := headers.get(name, "").strip()):
            return float(told) * unit
    try:
        return max(0.0, email.utils.parsedate_to_datetime(headers.get("retry-after", "")).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def readable(error: BaseException, model: Asked, left: int) -> BaseException:
    """A sentence for what a user can mend; never the request, its headers or the server's words.

    Parameters
    ----------
    left : number of requests without an answer
    """
    name, kept = model["repository"], f"answers so far are kept, {left} left to ask"
    if isinstance(error, openai.APIConnectionError | TimeoutError):
        return UserError(
            f"the API of {name} cannot be reached or gives no whole answer in time; {kept}, run again later"
        )
    if isinstance(error, UnreadableReplyError):
        return UserError(
            f"the API of {name} answers with something else than chat completions; {kept}, correct the column "
            "endpoint of models.tsv or run again later"
        )
    if not isinstance(error, openai.APIStatusError):
        return error
    return refused(error.status_code, error.code, error.param, name, kept, retry_after(error))


def refused(
    status: int, code: str | None, param: str | None, name: str, kept: str, wait: float | None = None
) -> UserError:
    """The sentence for an HTTP status.

    Parameters
    ----------
    status, code, param : the HTTP status, and what the server names as error and parameter
    name : the model
    kept : what is kept and what is left
    wait : seconds after which the server wants to be asked again
    """
    if status in (401, 403):
        return UserError(f"the API refused the key for {name}; {kept}, check OPENAI_API_KEY")
    if status == 402 or code == "insufficient_quota":
        return UserError(f"the account behind OPENAI_API_KEY has no credit left for {name}; {kept}, top it up")
    if status == 404:
        return UserError(
            f"the API does not know {name}; {kept}, correct the columns repository and endpoint of models.tsv"
        )
    detail = f" ({said})" if (said := plain(code, param)) else ""
    if status == 429 or status >= 500:
        when = f"in {wait:.0f} s" if wait else "when the server is well"
        return UserError(f"the API answered {status}{detail} for {name}; {kept}, run again {when}")
    return UserError(f"the API answered {status}{detail} for {name}; {kept}, mend the row of models.tsv or the request")


def plain(*words: Any) -> str:
    """Those that are words such as invalid_value, joined by commas: nothing of a request or a key gets through."""
    return ", ".join(dict.fromkeys(w for w in words if isinstance(w, str) and re.fullmatch(r"[a-z][a-z_.]{0,40}", w)))
