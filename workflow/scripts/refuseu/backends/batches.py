"""Batches of an OpenAI-compatible server: answers within a day at half the price.

A batch is noted on disk beside the journal: its input file before it is submitted, its id before it is
polled. A job that was killed finds it there and waits for it, so that nothing is submitted or paid twice.
"""

import json
import logging
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TypedDict

import openai

from refuseu.asked import Asked
from refuseu.backends.chat import (
    BLOCKED,
    OPTIONAL,
    UnreadableReplyError,
    UnsupportedError,
    parse,
    unsupported,
    without_logprobs,
)
from refuseu.backends.completion import Completion
from refuseu.backends.failures import plain, readable, refused
from refuseu.errors import UserError
from refuseu.records import digest, write_text

log = logging.getLogger("refuseu")
POLL = 30.0
ENDED = ("completed", "failed", "expired", "cancelled")
# OpenAI's limits of an input file.
REQUESTS_PER_FILE = 50_000
BYTES_PER_FILE = 200_000_000
RECENT = 1000  # batches among which one is looked for that was submitted right before a kill

Failure = tuple[int, str | None, str | None]  # HTTP status, code, parameter


class Note(TypedDict):
    """A batch on disk.

    Attributes
    ----------
    file : id of its input file
    batch : its id; None before it is submitted
    requests : digests of its requests
    """

    file: str
    batch: str | None
    requests: list[str]


class Batches:
    """Requests as batches.

    Parameters
    ----------
    client : of the server
    model : a row of models.tsv as a dict
    journal : where the answers go; the batches are noted in a file of the same name that ends in .batches.json
    """

    def __init__(self, client: openai.OpenAI, model: Asked, journal: str | Path):
        self.client, self.model = client, model
        self.path = Path(journal).with_suffix(".batches.json")
        self.notes: list[Note] = json.loads(self.path.read_text(encoding="utf-8")) if self.path.exists() else []
        self.with_logprobs = False

    def complete(self, bodies: Sequence[dict[str, Any]]) -> Iterator[tuple[int, Completion]]:
        """Submit what no earlier batch holds, and wait.

        Raises
        ------
        UnsupportedError
            If the server refuses a parameter that an answer can be had without.
        UserError
            If the server refuses the key, the account, a batch or a request, if somebody cancelled a batch,
            or if a round of batches brought nothing; what had been answered is kept in the journal.
        """
        waiting: dict[str, list[int]] = {}
        for index, body in enumerate(bodies):
            waiting.setdefault(digest(body)[:32], []).append(index)
        self.with_logprobs = any("logprobs" in body for body in bodies)
        try:
            while waiting:
                yield from self._round(waiting, bodies)
        except (openai.OpenAIError, UnreadableReplyError) as error:
            raise readable(error, self.model, sum(map(len, waiting.values()))) from None

    def _round(
        self, waiting: dict[str, list[int]], bodies: Sequence[dict[str, Any]]
    ) -> Iterator[tuple[int, Completion]]:
        self.notes = [note for note in self.notes if waiting.keys() & set(note["requests"])]
        covered = {name for note in self.notes for name in note["requests"]}
        for note in self.notes:
            if not note["batch"]:
                self._submit(note, resumed=True)
        for part in self._parts({name: bodies[places[0]] for name, places in waiting.items() if name not in covered}):
            self._upload(part)
        answered, failures = 0, Counter[Failure]()
        for note in list(self.notes):
            batch = self._wait(note)
            for name, said in self._said(batch):
                if isinstance(said, Completion):
                    for index in waiting.pop(name, []):
                        answered += 1
                        yield index, said
                else:
                    failures[said] += 1
            self.notes.remove(note)
            self._write()
            self._check(batch, waiting)
        for status, code, param in failures:
            if status in (400, 422) and (parameter := unsupported(self._taken(), param, code or "")):
                raise UnsupportedError(parameter)
        self._stop_if_useless(failures, answered, waiting)

    def _parts(self, requests: dict[str, dict[str, Any]]) -> Iterator[dict[str, str]]:
        """Lines of input files, by name of the request."""
        part: dict[str, str] = {}
        size = 0
        for name, body in requests.items():
            body = body if self.with_logprobs else without_logprobs(body)
            request = {"custom_id": name, "method": "POST", "url": "/v1/chat/completions", "body": body}
            line = json.dumps(request) + "\n"
            if part and (len(part) == REQUESTS_PER_FILE or size + len(line) > BYTES_PER_FILE):
                yield part
                part, size = {}, 0
            part[name] = line
            size += len(line)
        if part:
            yield part

    def _upload(self, part: dict[str, str]) -> None:
        file = self.client.files.create(file=("requests.jsonl", "".join(part.values()).encode()), purpose="batch")
        self.notes.append({"file": file.id, "batch": None, "requests": list(part)})
        self._write()
        self._submit(self.notes[-1])

    def _submit(self, note: Note, resumed: bool = False) -> None:
        """Submit an uploaded file, unless that was done right before a kill."""
        known = islice(self.client.batches.list(limit=100), RECENT) if resumed else []
        batch = next((batch for batch in known if batch.input_file_id == note["file"]), None)
        note["batch"] = (batch or self._found(self.client.batches.create, note)).id
        self._write()
        log.info("batch %s: %d requests", note["batch"], len(note["requests"]))

    def _found(self, call: Any, note: Note) -> Any:
        """What the server knows of a note; a clear stop if it does not."""
        arguments = (
            {"batch_id": note["batch"]}
            if note["batch"]
            else {"input_file_id": note["file"], "endpoint": "/v1/chat/completions", "completion_window": "24h"}
        )
        try:
            found = call(**arguments)
            if not getattr(found, "id", None):
                raise ValueError
            return found
        except ValueError:
            raise UnreadableReplyError from None
        except openai.NotFoundError:
            raise UserError(
                f"the API of {self.model['repository']} does not know the batch that {self.path} names; use the "
                "endpoint and the account that it was submitted with, or delete that file to submit (and pay) anew"
            ) from None

    def _wait(self, note: Note) -> Any:
        while (batch := self._found(self.client.batches.retrieve, note)).status not in ENDED:
            counts = batch.request_counts
            log.info("batch %s: %s, %d answered", batch.id, batch.status, counts.completed if counts else 0)
            time.sleep(POLL)
        log.info("batch %s: %s", batch.id, batch.status)
        return batch

    def _said(self, batch: Any) -> Iterator[tuple[str, Completion | Failure]]:
        """Per request its answer, or (HTTP status, code, parameter); in no order."""
        for file in filter(None, (batch.output_file_id, batch.error_file_id)):
            for line in self.client.files.content(file).content.split(b"\n"):
                if not line.strip():
                    continue
                try:
                    row = json.loads(line)
                    reply, error = row.get("response") or {}, row.get("error") or {}
                    status, body = reply.get("status_code") or 0, reply.get("body") or {}
                    yield row["custom_id"], parse(body) if status == 200 else why(status, error or body.get("error"))
                except (ValueError, LookupError, TypeError, AttributeError, UnreadableReplyError):
                    log.warning("batch %s: a line that holds no chat completion", batch.id)

    def _check(self, batch: Any, waiting: dict[str, list[int]]) -> None:
        """Stop if a batch ended otherwise than by itself."""
        left = f"answers so far are kept, {sum(map(len, waiting.values()))} left to ask"
        name = f"the batch {batch.id} of {self.model['repository']}"
        if batch.status == "failed":
            codes = plain(*(error.code for error in (batch.errors and batch.errors.data) or []))
            raise UserError(f"{name} was not accepted ({codes or 'no reason given'}); {left}, "
                            "run again when that is mended, or take the model out of api.batch")  # fmt: skip
        if batch.status == "cancelled" and waiting:
            raise UserError(f"{name} was cancelled; {left}, run again to submit the rest")

    def _stop_if_useless(self, failures: Counter[Failure], answered: int, waiting: dict[str, list[int]]) -> None:
        """Stop if another round is of no use: a request is refused, or nothing was answered."""
        name = self.model["repository"]
        kept = f"answers so far are kept, {sum(map(len, waiting.values()))} left to ask"
        if self.with_logprobs and any(status in (400, 422) for status, *_ in failures):
            self.with_logprobs = False  # perhaps that was why; if not, the next round stops
            return
        for (status, code, param), _ in failures.most_common():
            if 400 <= status < 500 and status not in (408, 409, 429):
                raise refused(status, code, param, name, kept)
        if waiting and not answered:
            [((status, code, param), _)] = failures.most_common(1) or [((0, None, None), 0)]
            if status:
                raise refused(status, code, param, name, kept)
            raise UserError(
                f"a round of batches of {name} brought no answer ({plain(code) or 'no reason given'}); {kept}, "
                "run again later"
            )

    def _taken(self) -> dict[str, None]:
        """Parameters that a request may be without and has."""
        return dict.fromkeys(name for name in OPTIONAL if name not in self.model.get("left_out", ()))

    def _write(self) -> None:
        if self.notes:
            write_text(self.path, json.dumps(self.notes))
        else:
            self.path.unlink(missing_ok=True)


def why(status: int, error: Any) -> Completion | Failure:
    """(HTTP status or 0, code, parameter); the empty answer where a server did not let a prompt be answered."""
    error = error if isinstance(error, dict) else {}
    if error.get("code") in BLOCKED:
        return Completion("", "content_filter", 0, 0)
    code, param = (str(error[key]) if error.get(key) else None for key in ("code", "param"))
    return status, code, param
