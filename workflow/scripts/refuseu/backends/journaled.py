"""Completions through the journal: a model is loaded, or a server asked, only for what is not known."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from pathlib import Path

from refuseu.asked import Asked
from refuseu.backends.chat import UnsupportedError
from refuseu.backends.completion import Backend, Completion, Conversation, Decoding
from refuseu.backends.identity import identity
from refuseu.backends.refused import Refused
from refuseu.job.journal import Journal, request_key
from refuseu.records import Record


class Kept:
    """A model that stays loaded while it is asked for again: loading takes minutes, and the GPUs wait."""

    def __init__(self) -> None:
        self.asked: tuple[Asked, str] | None = None
        self.backend: Backend | None = None

    def get(self, model: Asked, adapter: str | Path | None, batch_size: int, journal: str | Path) -> Backend:
        """The loaded model if it is that of this row and adapter; else that one is closed and this one loaded."""
        asked = (model, str(adapter))
        if self.backend is None or self.asked != asked:
            self.close()
            self.backend, self.asked = open_backend(model, adapter, batch_size, journal), asked
        return self.backend

    def close(self) -> None:
        if self.backend is not None:
            self.backend.close()
        self.backend = None


_kept: Kept | None = None  # what `kept_open` keeps in this process


@contextmanager
def kept_open() -> Iterator[Kept]:
    """Load no model twice in here; may be nested."""
    global _kept
    if _kept:
        yield _kept
        return
    _kept = Kept()
    try:
        yield _kept
    finally:
        kept, _kept = _kept, None
        kept.close()


@contextmanager
def opened(model: Asked, adapter: str | Path | None, batch_size: int, journal: str | Path) -> Iterator[Backend]:
    """A model to ask: the one that is kept open, or one for this time. A server has nothing to load."""
    if _kept and model["backend"] != "openai":
        yield _kept.get(model, adapter, batch_size, journal)
        return
    with closing(open_backend(model, adapter, batch_size, journal)) as backend:
        yield backend


def open_backend(model: Asked, adapter: str | Path | None, batch_size: int, journal: str | Path) -> Backend:
    """Load or connect to the model of a row of models.tsv.

    Parameters
    ----------
    journal : where the completions go; batches that a server works on are noted beside it
    """
    if model["backend"] == "transformers":
        from refuseu.backends.local import Transformers

        return Transformers(model, adapter, batch_size)
    if model["backend"] == "vllm":
        from refuseu.backends.engine import VLLM

        return VLLM(model, adapter)
    from refuseu.backends.api import OpenAI

    return OpenAI(model, journal)


def complete(
    model: Asked,
    adapter: str | Path | None,
    conversations: Sequence[Conversation],
    decoding: Decoding,
    journal: str | Path,
    batch_size: int,
    seeds: Sequence[int] | None = None,
    beside: Sequence[Path] = (),
) -> list[Completion]:
    """One completion per conversation, through the journal; loads the model only if something is missing.

    Parameters
    ----------
    seeds : one per conversation when sampling; equal conversations with other seeds are asked anew
    beside : journals of other jobs that may hold answers
    """
    seeds = list(seeds) if seeds is not None and decoding.temperature > 0 else [0] * len(conversations)
    who, refused = identity(model, adapter), Refused(journal, model["model"])

    def ask(requests: list[tuple[Conversation, int]]) -> Iterator[tuple[int, Record]]:
        with opened(model | {"left_out": refused.parameters}, adapter, batch_size, journal) as backend:
            for index, completion in backend.complete([c for c, _ in requests], decoding, [s for _, s in requests]):
                yield index, asdict(completion)

    while True:
        how = {name: value for name, value in asdict(decoding).items() if not refused.concerns(name)}
        asked = [(c, 0 if refused.concerns("seed") else s) for c, s in zip(conversations, seeds, strict=True)]
        keys = [request_key(who, conversation, how, seed) for conversation, seed in asked]
        facts = {"left_out": refused.parameters} if refused.parameters else {}
        try:
            records = Journal(journal, model["model"], facts, beside).ask(asked, keys, ask)
        except UnsupportedError as error:
            refused.add(error.parameter)
        else:
            return [Completion(**record) for record in records]


def uncut(
    model: Asked,
    conversations: Sequence[Conversation],
    decoding: Decoding,
    longer: int,
    journal: str | Path,
    batch_size: int,
    adapter: str | Path | None = None,
    blank: bool = False,
    beside: Sequence[Path] = (),
) -> list[Completion]:
    """Completions; those that were cut, as by reasoning, are asked for once more with `longer` tokens.

    Parameters
    ----------
    blank : whether only those are that have not begun to say anything
    beside : journals of other jobs that may hold answers
    """
    with kept_open():
        said = complete(model, adapter, conversations, decoding, journal, batch_size, beside=beside)
        cut = [n for n, one in enumerate(said) if one.finish_reason == "length" and not (blank and one.text.strip())]
        if cut and longer > decoding.max_new_tokens:
            again = [conversations[index] for index in cut]
            with_room = replace(decoding, max_new_tokens=longer)
            found = complete(model, adapter, again, with_room, journal, batch_size, beside=beside)
            for index, completion in zip(cut, found, strict=True):
                said[index] = completion
    return said
