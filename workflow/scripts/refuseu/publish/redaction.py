"""Texts blotted out of rows: what is left says how many there were and how long, and nothing else."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from refuseu.records import Record

BLOT = "x"
# Fields that hold what models, people or others wrote; what is in them at any depth is text. Keys of mappings stay.
TEXTS = {
    "text", "prompt", "response", "raw", "content", "translations", "categories",
    "question", "option_a", "option_b", "option_c", "option_d",
}  # fmt: skip
# Fields that hold ids, codes and labels which the workflow or a sheet of it gives.
PLAIN = {
    "kind", "key", "category", "language", "prompt_id", "activity", "style", "generator", "finish_reason", "detected",
    "label", "pair_id", "slot", "role", "split", "sample_id", "subject", "answer", "verdict",
    "decided_by", "labels", "cluster", "outcome", "step", "model", "people", "annotators", "response_only",
    "prompt_and_response",
}  # fmt: skip


def redacted(value: Any, text: bool = False) -> Any:
    """A row, or a part of one, with as many signs in place of each text as it has.

    Parameters
    ----------
    text : whether it is inside of a field that holds text
    """
    if isinstance(value, Mapping):
        return {key: redacted(part, text or key in TEXTS) for key, part in value.items()}
    if isinstance(value, list):
        return [redacted(part, text) for part in value]
    return BLOT * len(value) if text and isinstance(value, str) else value


def anonymous(rows: Iterable[Record]) -> Iterator[Record]:
    """Rows of an audit without the names of annotators: numbers in the order of the names."""
    rows = list(rows)
    names = sorted({row["annotator"].casefold() for row in rows if "annotator" in row})
    numbers = {name: f"annotator_{number:03}" for number, name in enumerate(names, start=1)}
    for row in rows:
        yield row | {"annotator": numbers[row["annotator"].casefold()]} if "annotator" in row else row
