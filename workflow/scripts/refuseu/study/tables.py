"""How the data of benchmarks with source table is read: a YAML file for each, checked."""

from pathlib import Path
from typing import Any

from refuseu.errors import UserError
from refuseu.evaluation.table import LANGUAGE, patterns, wanted
from refuseu.schemas import read_yaml
from refuseu.study.rows import Benchmark


def read_table(folder: str, row: Benchmark) -> dict[str, Any]:
    """What ``<folder>/<benchmark>.yaml`` says.

    Raises
    ------
    UserError
        If it is missing, breaks the schema, or does not fit the benchmark's row.
    """
    path = f"{folder}/{row.benchmark}.yaml"
    table: dict[str, Any] = read_yaml(
        path, "table", f"write it, as benchmark {row.benchmark!r} has source table (see docs/howto/benchmark.md)"
    )
    named = table["prompt"] if isinstance(table["prompt"], dict) else None
    if named is not None and (missing := next((code for code in row.languages if code not in named), "")):
        raise UserError(
            f"{path}, key prompt: no column for {missing!r}, a language of benchmark {row.benchmark!r}; add it, or "
            "take the language out of the benchmark's row"
        )
    by_name = any(LANGUAGE in name for name in (*patterns(table).values(), str(table["prompt"])))
    if len(row.languages) > 1 and not (by_name or named or "language" in table):
        raise UserError(
            f"{path} does not say where the language is; name a column (language), write {LANGUAGE} in files or "
            f"prompt, or give benchmark {row.benchmark!r} one language"
        )
    if row.parallel and "language" in table and "id" not in table:
        raise UserError(
            f"{path} has no key id, which translations that benchmark {row.benchmark!r} calls parallel must share; "
            "name the column, or leave the benchmark's column parallel empty"
        )
    if row.revision == "sha256" and not table.get("sha256"):
        raise UserError(
            f"{path} has no key sha256, and benchmark {row.benchmark!r} is fetched from {row.repository}; add each "
            "file with its SHA-256"
        )
    return table


def needed(table: dict[str, Any], row: Benchmark) -> list[str]:
    """Patterns of the files that a benchmark reads."""
    return wanted(table, row.languages)


def files_there(table: dict[str, Any], row: Benchmark) -> list[str]:
    """Those of them that are in a benchmark's folder."""
    found = {file for pattern in needed(table, row) for file in Path(row.repository).glob(pattern) if file.is_file()}
    return sorted(map(str, found))
