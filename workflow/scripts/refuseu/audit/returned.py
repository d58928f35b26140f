"""The manual audit: returned annotation sheets, read and checked."""

import csv
import io
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from refuseu import safe
from refuseu.audit.sheet import NOT_ASKED, QUESTIONS
from refuseu.errors import UserError
from refuseu.records import Record
from refuseu.schemas import check, closest

log = logging.getLogger("refuseu")

ANSWER = ["language", "item", "pair_id", "model", "benchmark", "prompt_id", "category", "style", "annotator",
          "question", "answer", "comment"]  # fmt: skip


@dataclass(frozen=True)
class Sheet:
    """A returned sheet.

    Attributes
    ----------
    path : its file
    study, language, annotator : as it says itself
    rows : (file and row, its cells)
    """

    path: str
    study: str
    language: str
    annotator: str
    rows: Sequence[tuple[str, Mapping[str, str]]]


def read_sheet(path: str | Path) -> Sheet:
    """One returned sheet: the form's JSON, or the CSV as a spreadsheet saved it.

    Raises
    ------
    UserError
        If the file is neither, is not UTF-8, lacks columns, or does not name one study, language and annotator.
    """
    readers = {".json": from_json, ".csv": from_csv}
    if (suffix := Path(path).suffix.lower()) not in readers or not Path(path).is_file():
        raise UserError(f"{path} is no returned sheet; leave only .json files of the form and .csv files there")
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"{path} is not UTF-8; save it again as CSV with the encoding UTF-8") from None
    return readers[suffix](str(path), text)


def from_json(path: str, text: str) -> Sheet:
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"{path}, line {error.lineno} is not JSON ({error.msg}); export it again") from None
    check(content, "returned", path)
    rows = [(f"{path}, answer {n}", cells) for n, cells in enumerate(content["answers"], start=1)]
    return Sheet(path, content["study"], content["language"], name_of([content["annotator"]], path, "annotator"), rows)


def from_csv(path: str, text: str) -> Sheet:
    header = text.partition("\n")[0]
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=header.count))
    needed = ["item", "study", "language", "annotator", *QUESTIONS, "comment"]
    for column in needed:
        if column not in (reader.fieldnames or []):
            raise UserError(f"{path} has no column {column!r}; keep the columns of the sheet as they were")
    try:
        rows = [
            (f"{path}, row {n}", {column: safe.from_cell(row[column] or "").strip() for column in needed})
            for n, row in enumerate(reader, start=2)
        ]
    except csv.Error as error:
        raise UserError(f"{path} is not CSV ({error}); save it again") from None
    rows = [(where, cells) for where, cells in rows if any(cells.values())]
    study, language, annotator = (name_of([cells[key] for _, cells in rows], path, key) for key in needed[1:4])
    return Sheet(path, study, language, annotator, rows)


def name_of(cells: Iterable[str], path: str, column: str) -> str:
    """The one value of a column, blanks apart."""
    names = list(dict.fromkeys(name for cell in cells if (name := " ".join(cell.split()))))
    if not names:
        raise UserError(f"{path} names no {column}; write it into {column!r}")
    if len(names) > 1:
        raise UserError(f"{path} has two values of {column!r}, {names[0]!r} and {names[1]!r}; return one file for each")
    return names[0]


def read_answers(paths: Iterable[str | Path], key: Iterable[Record], study: str) -> list[Record]:
    """The answers of all annotators, one record with the fields `ANSWER` per item, annotator and question.

    Parameters
    ----------
    key : what the ids of the items stand for
    study : whose sheets these must be

    Raises
    ------
    UserError
        If a sheet is of another study or language, has an unknown id or answer, answers what was not asked or
        nothing at all, or if an annotator answers an item twice.
    """
    items = {row["item"]: row for row in key}
    records: list[Record] = []
    seen: dict[tuple[str, str], str] = {}
    for sheet in map(read_sheet, paths):
        if sheet.study != study:
            raise UserError(f"{sheet.path} is a sheet of study {sheet.study!r}, not {study!r}; move it to that study")
        before = len(records)
        for where, cells in sheet.rows:
            item = known_item(items, sheet.language, where, cells)
            said = checked(where, cells, item["questions"])
            if not said:
                continue
            twice = (item["item"], sheet.annotator.casefold())
            if twice in seen:
                raise UserError(
                    f"{where}: {sheet.annotator!r} has already answered item {item['item']!r} in {seen[twice]}; "
                    "remove one of the two"
                )
            seen[twice] = where
            about = item | {"annotator": sheet.annotator, "comment": cells.get("comment", "").strip()}
            records += [{k: (about | {"question": q, "answer": a})[k] for k in ANSWER} for q, a in said.items()]
        if len(records) == before:
            raise UserError(f"{sheet.path} has no answers; fill it in or take it out")
        asked = sum(len(row["questions"]) for row in items.values() if row["language"] == sheet.language)
        log.info("%s (%s): %d of %d answers", sheet.path, sheet.language, len(records) - before, asked)
    return records


def known_item(items: Mapping[str, Record], language: str, where: str, cells: Mapping[str, str]) -> Record:
    """What a row of a sheet is about."""
    if cells["item"] not in items:
        raise UserError(
            f"{where}: no sheet of this study has the item {cells['item']!r}; correct it, or take the file out if its "
            "sheet was drawn from other data or settings"
        )
    item = items[cells["item"]]
    if item["language"] != language:
        raise UserError(
            f"{where}: item {item['item']!r} is on the sheet of {item['language']!r}, but this file says "
            f"{language!r}; correct the language, or move the row"
        )
    return item


def checked(where: str, cells: Mapping[str, str], asked: Sequence[str]) -> dict[str, str]:
    """The answers of a row by question, without those that are missing."""
    said = {}
    for question, about in QUESTIONS.items():
        answer = cells.get(question, "").strip().casefold()
        if question not in asked:
            if answer not in ("", NOT_ASKED):
                raise UserError(f"{where}: {question!r} is not asked of this item, but answered {answer!r}; empty it")
        elif answer and answer not in about.answers:
            raise UserError(f"{where}: {answer!r} is no answer to {question!r}{closest(answer, about.answers)}")
        elif answer:
            said[question] = answer
    return said


def verdicts(records: Iterable[Record]) -> list[Record]:
    """What people said of responses: one record per model, prompt and annotator."""
    keep = ("model", "benchmark", "prompt_id", "language", "category", "annotator")
    return [
        {name: row[name] for name in keep} | {"verdict": row["answer"]}
        for row in records
        if row["question"] == "verdict"
    ]
