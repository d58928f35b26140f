"""The closed schemas, and the sheets that they describe: what is wrong is said in one sentence that names the cure."""

import csv
import difflib
from collections.abc import Collection, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from refuseu.errors import UserError

SCHEMAS = Path(__file__).parents[2] / "schemas"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same, in C where it was compiled


def read_tsv(path: str | Path, columns: list[str], optional: Collection[str] = ()) -> list[dict[str, str]]:
    """Rows of a tab-separated sheet with exactly these columns, of which some may be missing.

    Raises
    ------
    UserError
        If the file is missing, or a column is missing, unknown or twice there, or a row is ragged or
        wrongly quoted.
    """
    if not Path(path).is_file():
        raise UserError(f"the sheet {path} does not exist; create it or correct the config's key sheets")
    with open(path, encoding="utf-8", newline="") as stream:
        reader = csv.reader(stream, delimiter="\t", strict=True)
        try:
            header, *lines = [*reader] or [[]]
        except csv.Error:
            raise UserError(
                f"{path}, line {reader.line_num}: a cell begins with a quotation mark and does not end with one; "
                'put the whole cell in quotation marks and write each of its own twice ("")'
            ) from None
        duplicate(header, str(path), "columns")
        for column in columns:
            if column not in header and column not in optional:
                raise UserError(f"{path} has no column {column!r}; add it to the header line")
        for column in header:
            if column not in columns:
                raise UserError(f"{path} has an unknown column {column!r}{closest(column, columns)}")
        rows = []
        for number, cells in enumerate(lines, start=2):
            if len(cells) != len(header):
                raise UserError(
                    f"{path}, line {number} has {len(cells)} cells where the header has {len(header)}; "
                    "separate the cells with single tabs"
                )
            rows.append(dict(zip(header, (cell.strip() for cell in cells), strict=True)))
    return rows


def read_yaml(path: str | Path, schema: str, cure: str) -> Any:
    """The content of a YAML file that a schema describes.

    Parameters
    ----------
    cure : what to do where the file does not exist

    Raises
    ------
    UserError
        If the file is missing, is no YAML or breaks the schema.
    """
    if not Path(path).is_file():
        raise UserError(f"{path} does not exist; {cure}")
    with open(path, encoding="utf-8") as stream:
        try:
            content = yaml.load(stream, LOADER)
        except yaml.YAMLError as error:
            raise UserError(f"{path} is no YAML ({' '.join(str(error).split())}); correct it") from None
    check(content, schema, str(path))
    return content


@cache
def load_schema(name: str) -> dict[str, Any]:
    """One of the closed schemas in ``workflow/schemas``."""
    schema: dict[str, Any] = yaml.load((SCHEMAS / f"{name}.schema.yaml").read_text(encoding="utf-8"), LOADER)
    return schema


@cache
def validator(name: str) -> Draft202012Validator:
    """What checks values against that schema."""
    return Draft202012Validator(load_schema(name))


def check(value: Any, schema: str, where: str) -> None:
    """Validate `value`; say in one sentence what is wrong and what would be right."""
    error = best_match(validator(schema).iter_errors(value), key=lambda e: (-len(e.absolute_path), e.validator))
    if error is None:
        return
    key = ".".join(str(part) for part in error.absolute_path)
    at = f"{where}, key {key}" if key else where
    if error.validator == "additionalProperties":
        known = list(error.schema.get("properties", {}))
        unknown = next(k for k in error.instance if k not in known)
        if unknown in ("secrets", "api_key", "token", "password"):
            raise UserError(f"{at}: {unknown!r} does not belong in a file; set it in the environment")
        raise UserError(f"{at}: unknown key {unknown!r}{closest(unknown, known)}")
    if error.validator == "required":
        missing = next(k for k in error.validator_value if k not in error.instance)
        raise UserError(f"{at}: the key {missing!r} is missing; add it")
    expected = error.schema.get("description", error.message).rstrip(".")
    raise UserError(f"{at}: {error.instance!r} does not fit ({shorten(error.message)}); expected: {expected}")


def one_of(value: str, known: Sequence[str], where: str, what: str) -> None:
    """Raise unless `value` is among names that the code declares, as `check` does for those of a schema."""
    if value not in known:
        said = shorten(f"{value!r} is not one of {list(known)}")
        raise UserError(f"{where}: {value!r} does not fit ({said}); expected: {what}: {either(known)}")


def same_keys(value: Collection[str], known: Collection[str], where: str) -> None:
    """Raise unless a mapping has exactly these keys, which the code declares."""
    if unknown := next((key for key in value if key not in known), ""):
        raise UserError(f"{where}: unknown key {unknown!r}{closest(unknown, known)}")
    if missing := next((key for key in known if key not in value), ""):
        raise UserError(f"{where}: the key {missing!r} is missing; add it")


def either(names: Sequence[str]) -> str:
    """Names as a choice in words."""
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def refer(name: str, known: Any, file: str, place: str, what: str) -> None:
    """Raise unless `name` is among the `known`."""
    if name not in known:
        raise UserError(f"{file}: {place} names {name!r}, which is not {what}{closest(name, known)}")


def duplicate(names: Any, file: str, what: str) -> None:
    """Raise if a name occurs twice."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise UserError(f"{file}: {name!r} occurs twice among the {what}; remove or rename one")
        seen.add(name)


def closest(word: str, known: Any) -> str:
    """The end of a sentence that offers the nearest known name, or lists them."""
    near = difflib.get_close_matches(word, [str(k) for k in known], n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(map(str, known))}"


def shorten(message: str) -> str:
    return message if len(message) < 120 else message[:117] + "..."
