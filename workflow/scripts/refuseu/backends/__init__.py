"""What answers a prompt: transformers in process, vLLM in process, or an OpenAI-compatible server.

The caller cannot tell which one it got. Modules that need torch or vllm are imported only when such a
backend is opened.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from refuseu.errors import UserError
from refuseu.job.journal import Journal, request_key
from refuseu.records import Record, file_digest

Conversation = list[dict[str, str]] | str
TOP = 20  # first log-probabilities per answer: the most that OpenAI and vLLM give
# Reasoning models of the gpt-oss family answer in channels; what they say is in the final one.
CHANNEL = "<|channel|>"
FINAL = re.compile(r"<\|channel\|>final.*?<\|message\|>(.*?)(?:<\|(?:end|return|start|call)\|>|\Z)", re.DOTALL)


@dataclass(frozen=True)
class Decoding:
    """How an answer is drawn.

    Attributes
    ----------
    temperature : 0 is greedy
    top_p : nucleus
    max_new_tokens : longest answer in tokens
    first_logprobs : whether the log-probabilities of the first word are wanted (judges)
    """

    temperature: float
    top_p: float
    max_new_tokens: int
    first_logprobs: bool = False


@dataclass(frozen=True)
class Completion:
    """An answer.

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

    def answer(
        self, conversations: Sequence[Conversation], decoding: Decoding, seeds: Sequence[int]
    ) -> Iterator[tuple[int, Completion]]: ...


def final(text: str) -> str:
    """What a model says to its user: of an answer in channels the last final one, of others everything.

    Reasoning that was cut before a final channel began is an empty answer.
    """
    if CHANNEL not in text:
        return text
    found = FINAL.findall(text)
    return found[-1] if found else ""


def identity(model: dict[str, Any], adapter: str | Path | None) -> Record:
    """Who answers, so that a record of other weights never matches.

    Parameters
    ----------
    model : a row of models.tsv as a dict
    adapter : folder of a LoRA adapter, or None
    """
    revision = model["revision"]
    if revision == "local":
        revision = folder_digest(model["repository"])
    who = {
        "repository": "" if model["revision"] == "local" else model["repository"],
        "revision": revision,
        "endpoint": model["endpoint"],
        "dtype": model["dtype"],
        "adapter": file_digest(Path(adapter) / "adapter_model.safetensors") if adapter else "",
    }
    # Kernels for adapters round otherwise than merged weights.
    return who | {"adapters": "lora"} if adapter and model.get("adapters") == "lora" else who


def folder_digest(folder: str | Path) -> list[str]:
    """Digests of the weights and the tokenizer in a local model folder.

    Raises
    ------
    UserError
        If there are no weights in it.
    """
    files = sorted(Path(folder).glob("*.safetensors")) + sorted(Path(folder).glob("tokenizer*"))
    if not any(file.suffix == ".safetensors" for file in files):
        raise UserError(f"{folder} holds no safetensors weights; correct the column repository of models.tsv")
    return [file_digest(file) for file in [*files, *sorted(Path(folder).glob("*.jinja"))]]


def open_backend(model: dict[str, Any], adapter: str | Path | None, batch_size: int, journal: str | Path) -> Backend:
    """Load or connect to the model of a row of models.tsv.

    Parameters
    ----------
    journal : where the answers go; batches that a server works on are noted beside it
    """
    if model["backend"] == "transformers":
        from refuseu.backends.local import Transformers

        return Transformers(model, adapter, batch_size)
    if model["backend"] == "vllm":
        from refuseu.backends.engine import VLLM

        return VLLM(model, adapter)
    from refuseu.backends.api import OpenAI

    return OpenAI(model, journal)


def answers(
    model: dict[str, Any],
    adapter: str | Path | None,
    conversations: Sequence[Conversation],
    decoding: Decoding,
    journal: str | Path,
    batch_size: int,
    seeds: Sequence[int] | None = None,
) -> list[Completion]:
    """One completion per conversation, through the journal; loads the model only if something is missing.

    Parameters
    ----------
    seeds : one per conversation when sampling; equal conversations with other seeds are asked anew
    """
    seeds = list(seeds) if seeds is not None and decoding.temperature > 0 else [0] * len(conversations)
    who, how = identity(model, adapter), asdict(decoding)
    keys = [request_key(who, c, how, s) for c, s in zip(conversations, seeds, strict=True)]

    def ask(requests: list[tuple[Conversation, int]]) -> Iterator[tuple[int, Record]]:
        backend = open_backend(model, adapter, batch_size, journal)
        for index, completion in backend.answer([c for c, _ in requests], decoding, [s for _, s in requests]):
            yield index, asdict(completion)

    records = Journal(journal, model["model"]).ask(list(zip(conversations, seeds, strict=True)), keys, ask)
    return [Completion(**record) for record in records]


def uncut(
    model: dict[str, Any],
    conversations: Sequence[Conversation],
    decoding: Decoding,
    longer: int,
    journal: str | Path,
    batch_size: int,
) -> list[Completion]:
    """Greedy answers; those that were cut, as by reasoning, are asked for once more with `longer` tokens."""
    said = answers(model, None, conversations, decoding, journal, batch_size)
    if cut := [index for index, completion in enumerate(said) if completion.finish_reason == "length"]:
        again = [conversations[index] for index in cut]
        found = answers(model, None, again, replace(decoding, max_new_tokens=longer), journal, batch_size)
        for index, completion in zip(cut, found, strict=True):
            said[index] = completion
    return said
