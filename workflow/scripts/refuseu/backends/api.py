"""Backend ``openai``: any OpenAI-compatible server, many requests at a time."""

import asyncio
import email.utils
import json
import logging
import os
import random
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import openai

from refuseu.backends import CHANNEL, TOP, Completion, Conversation, Decoding, final
from refuseu.errors import UserError

log = logging.getLogger("refuseu")
CONCURRENT = 16
TIMEOUT = 300.0
RETRIES = 8
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0
LONGEST_ORDERED_PAUSE = 120.0
GRACE = 30.0  # what was under way when a request failed for good may still arrive
# Codes with which a server says that it did not let the model read or answer a prompt.
BLOCKED = ("content_filter", "invalid_prompt")
SURROGATE = re.compile("[\ud800-\udfff]")  # half a character of a reply, such as a cut emoji; UTF-8 has none


class UnreadableReplyError(Exception):
    """A server answered 200, but not with a chat completion."""


class OpenAI:
    """A chat model behind an API; the key comes from ``OPENAI_API_KEY``.

    Parameters
    ----------
    model : a row of models.tsv as a dict, with the settings of the section ``api`` of the config;
        ``repository`` is the name the server knows
    journal : where the answers go

    Raises
    ------
    UserError
        If there is no key for a server elsewhere, or one that no HTTP header can hold.
    """

    def __init__(self, model: dict[str, Any], journal: str | Path = "journal.jsonl"):
        self.model, self.journal = model, journal
        self.concurrent, self.timeout = model.get("concurrent", CONCURRENT), model.get("timeout", TIMEOUT)
        self.gives_logprobs = True
        key = os.environ.get("OPENAI_API_KEY", "").strip()
        local = any(host in model["endpoint"] for host in ("//127.0.0.1", "//localhost"))
        if not key and not local:
            raise UserError(
                f"the model {model['model']!r} answers over {model['endpoint'] or 'the OpenAI API'} and needs a key; "
                "set OPENAI_API_KEY in the environment or choose another model"
            )
        if not re.fullmatch(r"[!-~]*", key):
            raise UserError("OPENAI_API_KEY holds a blank or a character beyond ASCII; set it to the key alone")
        self.access = {"api_key": key or "none", "base_url": model["endpoint"] or None}

    def answer(
        self, conversations: Sequence[Conversation], decoding: Decoding, seeds: Sequence[int]
    ) -> Iterator[tuple[int, Completion]]:
        """Answers in the order they arrive.

        Raises
        ------
        UserError
            If the server refuses the key, the account or a request, or still fails after all retries;
            what had been answered is kept in the journal.
        """
        bodies = [self.body(c, decoding, s) for c, s in zip(conversations, seeds, strict=True)]
        if self.model.get("batch"):
            from refuseu.backends.batches import Batches

            found = Batches(openai.OpenAI(**self.access, max_retries=RETRIES), self.model, self.journal).answer(bodies)
        else:
            found = self._direct(bodies)
        bare = 0
        for index, completion in found:
            bare += completion.first_logprobs is None
            yield index, completion
        if decoding.first_logprobs and bare:
            log.warning(
                "%s gave no log-probabilities with %d of %d answers; probabilities that need them stay empty",
                self.model["repository"], bare, len(bodies),
            )  # fmt: skip

    def _direct(self, bodies: list[dict[str, Any]]) -> Iterator[tuple[int, Completion]]:
        """One request per answer; the loop runs only while an answer is waited for, and ends with this generator."""
        with asyncio.Runner() as runner:
            arrived: asyncio.Queue[tuple[int, Completion] | BaseException] = asyncio.Queue()

            def report(task: asyncio.Task) -> None:
                if not task.cancelled() and (error := task.exception()):
                    arrived.put_nowait(error)

            runner.get_loop().create_task(self._ask_all(bodies, arrived)).add_done_callback(report)
            for left in range(len(bodies), 0, -1):
                item = runner.run(arrived.get())
                if isinstance(item, BaseException):
                    raise readable(item, self.model, left) from None
                yield item

    def body(self, conversation: Conversation, decoding: Decoding, seed: int) -> dict[str, Any]:
        """The request for one answer."""
        messages = conversation if isinstance(conversation, list) else [{"role": "user", "content": conversation}]
        return {
            "model": self.model["repository"],
            "messages": messages,
            "temperature": decoding.temperature,
            "top_p": decoding.top_p,
            "max_completion_tokens": decoding.max_new_tokens,
            **({"seed": seed} if decoding.temperature > 0 else {}),
            **({"logprobs": True, "top_logprobs": TOP} if decoding.first_logprobs else {}),
        }

    async def _ask_all(self, bodies: list[dict[str, Any]], arrived: asyncio.Queue) -> None:
        waiting, failed = iter(enumerate(bodies)), asyncio.Event()
        async with openai.AsyncOpenAI(**self.access, max_retries=0, timeout=self.timeout) as client:

            async def work() -> None:
                for index, body in waiting:
                    arrived.put_nowait((index, await self._ask(client, body, failed)))
                    if failed.is_set():
                        return

            workers = [asyncio.create_task(work()) for _ in range(min(self.concurrent, len(bodies)))]
            done, others = await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
            failures = [error for worker in done if (error := worker.exception())]
            failed.set()
            if others:
                await asyncio.wait(others, timeout=GRACE)
            if failures:
                raise failures[0]

    async def _ask(self, client: openai.AsyncOpenAI, body: dict[str, Any], failed: asyncio.Event) -> Completion:
        for attempt in range(RETRIES + 1):
            if not self.gives_logprobs:
                body = without_logprobs(body)
            try:
                # The client's own limit is for the time between two bytes.
                async with asyncio.timeout(self.timeout):
                    return await self._try(client, body)
            except (openai.OpenAIError, UnreadableReplyError, TimeoutError) as error:
                seconds = pause(error, attempt)
                if seconds is None or attempt == RETRIES:
                    raise
                log.info("%s: %s, asked again in %.1f s", self.model["repository"], type(error).__name__, seconds)
                try:
                    await asyncio.wait_for(failed.wait(), seconds)
                except TimeoutError:
                    continue
                raise
        raise AssertionError("the last attempt returns or raises")

    async def _try(self, client: openai.AsyncOpenAI, body: dict[str, Any]) -> Completion:
        try:
            return parse(await post(client, body))
        except openai.APIStatusError as error:
            if error.code in BLOCKED:
                return Completion("", "content_filter", 0, 0)
            if error.status_code not in (400, 422) or "logprobs" not in body:
                raise
            completion = parse(await post(client, without_logprobs(body)))
            self.gives_logprobs = False
            return completion


async def post(client: openai.AsyncOpenAI, body: dict[str, Any]) -> str:
    """What the server answers, as text: the client would take anything for a completion."""
    return (await client.chat.completions.with_raw_response.create(**body)).text


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
        reply = json.loads(reply) if isinstance(reply, str) else reply
        choice, usage = reply["choices"][0], reply.get("usage") or {}
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
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt) * random.uniform(0.5, 1)


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


def readable(error: BaseException, model: dict[str, Any], left: int) -> BaseException:
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
