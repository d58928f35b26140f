"""Backend ``openai``: any OpenAI-compatible server, many requests at a time."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import openai

from refuseu.asked import Asked
from refuseu.backends.chat import (
    BLOCKED,
    UnreadableReplyError,
    UnsupportedError,
    parse,
    request,
    unsupported,
    without_logprobs,
)
from refuseu.backends.completion import Completion, Conversation, Decoding
from refuseu.backends.failures import pause, readable
from refuseu.errors import UserError
from refuseu.job import environment
from refuseu.job.progress import tell_of_waiting

log = logging.getLogger("refuseu")
Arrived = asyncio.Queue[tuple[int, Completion] | BaseException]
CONCURRENT = 16
TIMEOUT = 300.0
RETRIES = 8
GRACE = 30.0  # what was under way when a request failed for good may still arrive


class OpenAI:
    """A chat model behind an API; the key comes from ``OPENAI_API_KEY``.

    Parameters
    ----------
    model : a row of models.tsv as a dict, with the settings of the section ``api`` of the config;
        ``repository`` is the name the server knows
    journal : where the completions go

    Raises
    ------
    UserError
        If there is no key for a server elsewhere, or one that no HTTP header can hold.
    """

    def __init__(self, model: Asked, journal: str | Path = "journal.jsonl"):
        self.model, self.journal = model, journal
        self.concurrent, self.timeout = model.get("concurrent", CONCURRENT), model.get("timeout", TIMEOUT)
        self.gives_logprobs = True
        key = environment.key("OPENAI_API_KEY")
        local = any(host in model["endpoint"] for host in ("//127.0.0.1", "//localhost"))
        if not key and not local:
            raise UserError(
                f"the model {model['model']!r} answers over {model['endpoint'] or 'the OpenAI API'} and needs a key; "
                "set OPENAI_API_KEY in the environment or choose another model"
            )
        self.access: dict[str, Any] = {"api_key": key or "none", "base_url": model["endpoint"] or None}

    def complete(
        self, conversations: Sequence[Conversation], decoding: Decoding, seeds: Sequence[int]
    ) -> Iterator[tuple[int, Completion]]:
        """Completions in the order they arrive.

        Raises
        ------
        UnsupportedError
            If the server refuses a parameter that an answer can be had without.
        UserError
            If the server refuses the key, the account or a request, or still fails after all retries;
            what had been answered is kept in the journal.
        """
        more, left_out = self.model.get("parameters"), self.model.get("left_out", [])
        asked = zip(conversations, seeds, strict=True)
        bodies = [request(self.model["repository"], c, decoding, s, more, left_out) for c, s in asked]
        if self.model.get("batch"):
            from refuseu.backends.batches import Batches

            found = Batches(openai.OpenAI(**self.access, max_retries=RETRIES), self.model, self.journal).complete(
                bodies
            )
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

    def close(self) -> None:
        """Connections last no longer than the answers that are waited for."""

    def _direct(self, bodies: list[dict[str, Any]]) -> Iterator[tuple[int, Completion]]:
        """One request per answer; the loop runs only while an answer is waited for, and ends with this generator."""
        with asyncio.Runner() as runner:
            arrived: Arrived = asyncio.Queue()

            def pass_on(task: asyncio.Task[None]) -> None:
                if not task.cancelled() and (error := task.exception()):
                    arrived.put_nowait(error)

            runner.get_loop().create_task(self._ask_all(bodies, arrived)).add_done_callback(pass_on)
            for left in range(len(bodies), 0, -1):
                item = runner.run(arrived.get())
                if isinstance(item, BaseException):
                    raise readable(item, self.model, left) from None
                yield item

    async def _ask_all(self, bodies: list[dict[str, Any]], arrived: Arrived) -> None:
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
                who, what = self.model["repository"], type(error).__name__
                tell_of_waiting(f"{who}: {what}, asked again in {seconds:.1f} s ({attempt + 1} of {RETRIES} times)")
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
            if error.status_code not in (400, 422):
                raise
            if parameter := unsupported(body, error.param, f"{error.code} {error.body}"):
                raise UnsupportedError(parameter) from None
            if "logprobs" not in body:
                raise
            completion = parse(await post(client, without_logprobs(body)))
            self.gives_logprobs = False
            return completion


async def post(client: openai.AsyncOpenAI, body: dict[str, Any]) -> str:
    """What the server answers, as text: the client would take anything for a completion."""
    reply: str = (await client.chat.completions.with_raw_response.create(**body)).text
    return reply
