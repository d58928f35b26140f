"""The journal under every step that costs: nothing is computed or paid for twice.

One record per answered request, keyed by a digest of exactly what determines the answer: who answers
(model, revision, adapter), what is asked, and how it decodes. A job appends records as answers arrive
and reads them first when it starts again. Each record is flushed, so that a killed job loses none; it is
not synced to the disk, so that a power cut may cost the last ones. Journals lie outside the declared
outputs, because Snakemake deletes the outputs of failed jobs. A job that an earlier run left behind may still write,
so a journal is written under a lease (`refuseu.job.lease`): whoever comes second waits, and then knows all answers.
A job that has lost its lease leaves the answer that it still got beside the journal (``….late-<host>-<process>``),
where it is read with the others until it becomes one of them. What jobs beside it have been answered is read there
and not asked again: models often say the same, and a judge is asked about it once. Beside a journal lies an account of
its use (suffix ``.uses``), which no answer depends on: one line when requests are looked up, one when the missing ones
are answered.
"""

import json
import logging
import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from refuseu.errors import UserError
from refuseu.job.lease import Lease
from refuseu.job.progress import track
from refuseu.records import WHOLE, Record, digest, write_jsonl

log = logging.getLogger("refuseu")
Request = TypeVar("Request")
KEY = b'{"key": "'  # how a line begins


class Journal:
    """Answers on disk by key.

    Parameters
    ----------
    path : the file; created with its folder on the first answer
    who : id of the model (or ``deepl``) that answers, for the account
    facts : what else the account says of a use
    beside : journals of other jobs, which may write them at the same time; answers that they hold are not asked for
    """

    def __init__(self, path: str | Path, who: str = "", facts: Record | None = None, beside: Iterable[Path] = ()):
        self.path, self.who, self.facts, self.beside = Path(path), who, facts or {}, beside
        self.records: dict[str, Record] = {}
        self.theirs: dict[str, Record] = {}
        self.dropped = self.hits = self.misses = 0
        self.late: list[Path] = []
        self._lease: Lease | None = None
        self._load()

    def ask(
        self,
        requests: Sequence[Request],
        keys: Sequence[str],
        answer: Callable[[list[Request]], Iterable[tuple[int, Record]]],
    ) -> list[Record]:
        """One answer per request, in order.

        Parameters
        ----------
        requests : what is asked
        keys : one digest per request; equal keys are asked once
        answer : called once with the distinct requests that have no record yet, if there are any;
            yields (index, record) in any order
        """

        def unknown() -> dict[str, Request]:
            known = self.records.keys() | self.theirs.keys()
            return {key: request for key, request in zip(keys, requests, strict=True) if key not in known}

        self._look_beside(unknown())
        if missing := unknown():
            with self.alone() as lease:
                missing = unknown()
                self._count(len(keys), len(missing))
                if missing:
                    self._answer(missing, answer, lease)
        else:
            self._count(len(keys), 0)
        known = self.theirs | self.records
        return [known[key] for key in keys]

    @contextmanager
    def alone(self) -> Iterator[Lease]:
        """Be the only writer: what others have answered until then is known, and nobody adds to it. May be nested."""
        if self._lease:
            yield self._lease
            return
        with Lease(self.path) as lease:
            self._load()
            self._mend()
            self._lease = lease
            try:
                yield lease
            finally:
                self._lease = None

    def _count(self, asked: int, missing: int) -> None:
        """Say, in the log and in the account, how much of what is asked was known."""
        self.hits, self.misses = asked - missing, missing
        log.info("journal: %d of %d answers known, %d to ask", self.hits, asked, missing)
        if asked:
            counts = {"hits": self.hits, "misses": missing, "dropped": self.dropped}
            self._account(who=self.who, known=len(self.records), **counts, **self.facts)

    def _look_beside(self, missing: Iterable[str]) -> None:
        """Read what is missing in the journals beside. It stays theirs: so many answers were asked for, and no more."""
        wanted = set(missing)
        for path in self.beside if wanted else ():
            for line in whole_lines(path):
                if line.startswith(KEY) and line[len(KEY) :].partition(b'"')[0].decode() in wanted:
                    with suppress(ValueError):  # a line that a power cut has damaged; whose journal it is mends it
                        record = json.loads(line)
                        wanted.remove(key := record.pop("key"))
                        self.theirs[key] = record

    def _answer(
        self,
        missing: dict[str, Request],
        answer: Callable[[list[Request]], Iterable[tuple[int, Record]]],
        lease: Lease,
    ) -> None:
        """Ask for what is missing and keep each answer as it arrives."""
        waiting, started = list(missing), time.monotonic()
        with open(self.path, "a", encoding="utf-8", errors=WHOLE, newline="\n") as out:
            for index, record in track(answer(list(missing.values())), len(missing), self.path.stem):
                self._check(lease, waiting[index], record)
                self.records[waiting[index]] = record
                out.write(json.dumps({"key": waiting[index], **record}, ensure_ascii=False) + "\n")
                out.flush()
        self._account(answered=len(missing), seconds=round(time.monotonic() - started, 3))

    def _check(self, lease: Lease, key: str, record: Record) -> None:
        """Stop if somebody has taken over, who writes the journal now; what was paid for is left beside it."""
        try:
            lease.check()
        except UserError:
            place = f"{self.path.name}.late-{socket.gethostname()}-{os.getpid()}"
            write_jsonl(self.path.with_name(place), [{"key": key, **record}])
            raise

    def _load(self) -> None:
        """Read what is whole: a line that a kill has cut, or that somebody still writes, is left out and counted."""
        self.dropped, self.late = 0, sorted(self.path.parent.glob(f"{self.path.name}.late-*"))
        for path in (*self.late, self.path):
            with suppress(FileNotFoundError), open(path, "rb") as lines:
                for line in lines:
                    try:
                        record = json.loads(line)
                        key = record.pop("key")
                    except (ValueError, KeyError, AttributeError, TypeError):
                        self.dropped += 1
                        continue
                    self.records[key] = record

    def _mend(self) -> None:
        """Take in what came late, and take out what a kill has cut, so that the next line begins a line."""
        if self.dropped:
            log.warning("%s: dropped %d records that a kill had cut", self.path, self.dropped)
        if self.dropped or self.late:
            write_jsonl(self.path, ({"key": key, **record} for key, record in self.records.items()))
            for path in self.late:
                path.unlink(missing_ok=True)
        elif self.path.exists() and self.path.stat().st_size:
            with open(self.path, "rb+") as file:
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    file.write(b"\n")

    def _account(self, **facts: Any) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path.with_suffix(".uses"), "a", encoding="utf-8", newline="\n") as out:
            out.write(json.dumps(facts) + "\n")


def whole_lines(path: Path) -> Iterator[bytes]:
    """Lines of a journal that somebody may be writing; none if there is none."""
    with suppress(FileNotFoundError), open(path, "rb") as lines:
        yield from (line for line in lines if line.endswith(b"}\n"))


def request_key(identity: Record, request: Any, decoding: Record, seed: int | None) -> str:
    """Digest of all that determines an answer."""
    return digest(identity, request, decoding, seed)
