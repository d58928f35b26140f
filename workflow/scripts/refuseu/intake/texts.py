"""Texts inside files of several kinds: what a trimmed vocabulary must be able to say."""

import csv
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
WORD = re.compile(r"\S+")


def texts_in(file: str | Path) -> Iterator[str]:
    """Every text in a file: cells of TSV and CSV, values of YAML and JSON Lines, else the whole file."""
    content = Path(file).read_text(encoding="utf-8")
    kind = Path(file).suffix
    if kind in (".tsv", ".csv"):
        rows = csv.reader(content.splitlines(keepends=True), delimiter="\t" if kind == ".tsv" else ",")
        yield from (cell for row in rows for cell in row)
    elif kind == ".yaml":
        yield from leaves(yaml.load(content, LOADER))
    elif kind == ".jsonl":
        yield from (text for line in content.splitlines() for text in leaves(json.loads(line)))
    else:
        yield content


def leaves(value: Any) -> Iterator[str]:
    """The texts in nested lists and mappings."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)


def spoken(files: Iterable[str | Path]) -> list[str]:
    """All texts of files and each of their words, at the beginning of a text and behind a blank."""
    texts = {text for file in files for text in texts_in(file) if text}
    words = {word for text in texts for word in WORD.findall(text)}
    return sorted({blank + text for text in texts | words for blank in ("", " ")})
