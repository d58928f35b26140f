"""Backend ``openai``: any OpenAI-compatible server, many requests at a time."""

import asyncio
import os
import queue
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import openai

from refuseu.backends import Completion, Conversation, Decoding
from refuseu.errors import UserError

CONCURRENT = 16
RETRIES = 8


class OpenAI:
    """A chat model behind an API; the key comes from ``OPENAI_API_KEY``.

    Parameters
    ----------
    model : a row of models.tsv as a dict; ``repository`` is the name the server knows
    """

    def __init__(self, model: dict[str, Any]):
        self.model = model
        key = os.environ.get("OPENAI_API_KEY", "")
        local = any(host in model["endpoint"] for host in ("//127.0.0.1", "//localhost"))
        if not key and not local:
            raise UserError(
                f"the model {model['model']!r} answers over {model['endpoint'] or 'the OpenAI API'} and needs a key; "
                "set OPENAI_API_KEY in the environment or choose another model"
            )
        self.key = key or "none"

    def answer(
        self, conversations: Sequence[Conversation], decoding: Decoding, seeds: Sequence[int]
    ) -> Iterator[tuple[int, Completion]]:
        """Answers in the order they arrive.

        Raises
        ------
        UserError
            If the server refuses the key or the account, or still fails after all retries; what had
            been answered is kept in the journal.
        """
        arrived: queue.Queue[tuple[int, Completion] | BaseException | None] = queue.Queue()
        worker = threading.Thread(
            target=lambda: asyncio.run(self._all(conversations, decoding, seeds, arrived)), daemon=True
        )
        worker.start()
        while (item := arrived.get()) is not None:
            if isinstance(item, BaseException):
                raise readable(item, self.model) from None
            yield item

    async def _all(self, conversations, decoding, seeds, arrived) -> None:
        limit = asyncio.Semaphore(CONCURRENT)
        async with openai.AsyncOpenAI(
            api_key=self.key, base_url=self.model["endpoint"] or None, max_retries=RETRIES, timeout=120
        ) as client:

            async def one(index: int) -> None:
                async with limit:
                    arrived.put((index, await self._ask(client, conversations[index], decoding, seeds[index])))

            tasks = [asyncio.create_task(one(index)) for index in range(len(conversations))]
            try:
                await asyncio.gather(*tasks)
                arrived.put(None)
            except BaseException as error:
                for task in tasks:
                    task.cancel()
                arrived.put(error)

    async def _ask(self, client, conversation, decoding, seed) -> Completion:
        messages = conversation if isinstance(conversation, list) else [{"role": "user", "content": conversation}]
        reply = await client.chat.completions.create(
            model=self.model["repository"],
            messages=messages,
            temperature=decoding.temperature,
            top_p=decoding.top_p,
            max_completion_tokens=decoding.max_new_tokens,
            **({"seed": seed} if decoding.temperature > 0 else {}),
        )
        choice, usage = reply.choices[0], reply.usage
        return Completion(
            choice.message.content or "",
            choice.finish_reason or "length",
            usage.prompt_tokens if usage else 0,
            usage.completion_tokens if usage else 0,
        )


def readable(error: BaseException, model: dict[str, Any]) -> BaseException:
    """A sentence for what a user can mend; never the request or its headers."""
    if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
        return UserError(f"the API refused the key for {model['repository']}; check OPENAI_API_KEY")
    if isinstance(error, openai.APIStatusError):
        return UserError(
            f"the API answered {error.status_code} for {model['repository']}; answers so far are kept, "
            "run again when the server is well or the request is mended"
        )
    if isinstance(error, openai.APIConnectionError):
        return UserError(
            f"the API of {model['repository']} cannot be reached; answers so far are kept, run again later"
        )
    return error
