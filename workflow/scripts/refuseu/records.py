"""Rows on disk: JSON Lines, UTF-8, written whole or not at all."""

import codecs
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Record = dict[str, Any]
WHOLE = "refuseu"


def whole(error: UnicodeError) -> tuple[bytes, int]:
    """Half a character, which JSON may hold and UTF-8 cannot, is written as the sign for what cannot be shown."""
    assert isinstance(error, UnicodeEncodeError)
    return "\ufffd".encode() * (error.end - error.start), error.end


codecs.register_error(WHOLE, whole)


def read_jsonl(path: str | Path) -> list[Record]:
    """Read one JSON object per line.

    Raises
    ------
    json.JSONDecodeError
        On a line that is not JSON; files of this workflow are complete by construction.
    """
    with open(path, encoding="utf-8", newline="\n") as lines:
        return [json.loads(line) for line in lines]


def write_jsonl(path: str | Path, records: Iterable[Record]) -> None:
    """Write records atomically, one JSON object per line, in the order given."""
    with atomic(path) as temporary, open(temporary, "w", encoding="utf-8", errors=WHOLE, newline="\n") as out:
        out.writelines(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def write_text(path: str | Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with atomic(path) as temporary:
        Path(temporary).write_text(text, encoding="utf-8", errors=WHOLE, newline="\n")


@contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Yield a path beside `path`; move it there only if the block ends well."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def digest(*parts: Any) -> str:
    """SHA-256 (hex) over the canonical JSON of `parts`: equal values, equal digest."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def file_digest(path: str | Path) -> str:
    """SHA-256 (hex) of a file's bytes."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
