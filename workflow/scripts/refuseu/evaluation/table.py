"""Benchmarks that come as tables, read as a small YAML file for each says (``table.schema.yaml``).

CSV, TSV, JSON Lines, JSON (a list of objects) and parquet; which a file is, its name says.
"""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from refuseu.errors import UserError
from refuseu.rows import BenchmarkPrompt

Description = Mapping[str, Any]  # what the YAML file says
LANGUAGE = "{language}"  # stands for a language in names of files and columns
SUFFIXES = (".csv", ".tsv", ".jsonl", ".json", ".parquet")


def read(path: Path, name: str, language: str, table: Description) -> list[BenchmarkPrompt]:
    """The prompts of a benchmark in one language.

    Without a column of ids, the place of a row in its file is its id.

    Parameters
    ----------
    path : folder with the files
    name : the benchmark's id

    Raises
    ------
    UserError
        If a file or column is missing, or a file is not what its name says.
    """
    theirs = code(table, language)
    only = {column: text(value) for column, value in table.get("where", {}).items()}
    if "language" in table:
        only[table["language"]] = theirs
    records = []
    for category, pattern in patterns(table).items():
        found = sorted(file for file in path.glob(pattern.replace(LANGUAGE, theirs)) if file.is_file())
        if not found:
            raise UserError(
                f"benchmark {name!r} has no file {pattern.replace(LANGUAGE, theirs)} in {path}, which it needs for "
                f"{language!r}; put it there, or take the language out of its row in benchmarks.tsv"
            )
        number = 0
        for file in found:
            for row in rows(file, table.get("header", True)):
                number += 1
                if any(text(cell(row, column, file)) != value for column, value in only.items()):
                    continue
                key = text(cell(row, table["id"], file)) if "id" in table else str(number)
                records.append(
                    BenchmarkPrompt(
                        prompt_id="-".join(filter(None, (name, language, category, key))),
                        language=language,
                        category=text(cell(row, table["category"], file)) if "category" in table else category,
                        style="",
                        slot="",
                        prompt=cell(row, prompt_column(table, language), file),
                    )
                )
    return records


def patterns(table: Description) -> dict[str, str]:
    """Category → pattern of files; no category where the files say none."""
    files = table["files"]
    return dict(files) if isinstance(files, Mapping) else {"": str(files)}


def code(table: Description, language: str) -> str:
    """What the files call a language."""
    return str(table.get("codes", {}).get(language, language))


def wanted(table: Description, languages: Sequence[str]) -> list[str]:
    """Patterns of all files that are read."""
    named = (pattern.replace(LANGUAGE, code(table, x)) for pattern in patterns(table).values() for x in languages)
    return list(dict.fromkeys(named))


def prompt_column(table: Description, language: str) -> str:
    """The column with the prompts in a language."""
    named = table["prompt"]
    column = named[language] if isinstance(named, Mapping) else named
    return str(column).replace(LANGUAGE, code(table, language))


def rows(file: Path, header: bool) -> Iterator[Mapping[str, Any]]:
    """Rows of a file; those of a CSV or TSV file without a header have its columns by number, from 1.

    Raises
    ------
    UserError
        If the file cannot be read as what its name says.
    """
    try:
        match file.suffix.lower():
            case ".csv" | ".tsv":
                yield from delimited(file, "\t" if file.suffix.lower() == ".tsv" else ",", header)
            case ".jsonl":
                with open(file, encoding="utf-8-sig", newline="\n") as lines:
                    yield from (json.loads(line) for line in lines if line.strip())
            case ".json":
                content = json.loads(file.read_text(encoding="utf-8-sig"))
                if not isinstance(content, list):
                    raise UserError(f"{file} is no list of objects; make it one, or name it .jsonl if each line is one")
                yield from content
            case ".parquet":
                import pyarrow.parquet

                yield from pyarrow.parquet.read_table(file).to_pylist()
            case _:
                raise UserError(f"{file} is of no known kind; tables are {', '.join(SUFFIXES)}")
    except (csv.Error, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise UserError(f"{file} cannot be read as {file.suffix[1:]} in UTF-8 ({error}); correct it") from None


def delimited(file: Path, delimiter: str, header: bool) -> Iterator[dict[str, str]]:
    with open(file, encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream, delimiter=delimiter, strict=True)
        names = next(reader, []) if header else None
        for cells in reader:
            columns = names if names is not None else [str(n) for n in range(1, len(cells) + 1)]
            if cells and len(cells) != len(columns):
                raise UserError(
                    f"{file}, line {reader.line_num} has {len(cells)} cells where the header has {len(columns)}; "
                    "correct it"
                )
            if cells:
                yield dict(zip(columns, cells, strict=True))


def cell(row: Mapping[str, Any], column: str, file: Path) -> Any:
    """The value of a column; ``a.0.b`` goes down into lists and objects where no column has that name."""
    if column in row:
        return row[column]
    found: Any = row
    try:
        for part in column.split("."):
            found = found[int(part)] if isinstance(found, list) else found[part]
    except (KeyError, IndexError, TypeError, ValueError):
        known = ", ".join(map(str, row))
        raise UserError(f"{file} has no column {column!r}; found are {known}") from None
    return found


def text(value: Any) -> str:
    """A value as one writes it in YAML."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
