"""The manual audit: returned annotation sheets, their rates with intervals, and how far annotators agree."""

import csv
import io
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from refuseu.analysis.estimates import RATE, Groups, estimates, scopes
from refuseu.analysis.metrics import ESTIMATE
from refuseu.artifacts.frames import scope_order
from refuseu.artifacts.tables import number
from refuseu.audit.sheet import NOT_ASKED, QUESTIONS
from refuseu.errors import UserError
from refuseu.records import Record
from refuseu.schemas import check, closest

log = logging.getLogger("refuseu")

ANSWER = ["language", "item", "pair_id", "model", "benchmark", "prompt_id", "category", "style", "annotator",
          "question", "answer", "comment"]  # fmt: skip
RESULT = ["question", "model", "language", *ESTIMATE, "unsure", "missing", "annotators", "alpha"]


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
    rows: list[tuple[str, Mapping[str, str]]]


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
            (f"{path}, row {n}", {column: (row[column] or "").strip() for column in needed})
            for n, row in enumerate(reader, start=2)
        ]
    except csv.Error as error:
        raise UserError(f"{path} is not CSV ({error}); save it again") from None
    rows = [(where, cells) for where, cells in rows if any(cells.values())]
    names = [name_of([cells[column] for _, cells in rows], path, column) for column in needed[1:4]]
    return Sheet(path, *names, rows)


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
    records, seen = [], {}
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


def results(records: Sequence[Record], key: Iterable[Record], languages: Groups, **statistics: Any) -> pd.DataFrame:
    """Rates with intervals and agreement, per question (and model) and language, group and ``all``.

    The value is the share of items with the first answer of the question (``yes``, or ``unsafe``); where several
    annotated an item, it counts with their share, once. An ``unsure`` is not that answer.

    Parameters
    ----------
    records : what `read_answers` returned
    statistics : confidence, resamples and seed

    Returns
    -------
    Columns `RESULT`: `n` items with an answer, `missing` items without, in the languages that returned something;
    `unsure` answers; `alpha` is Krippendorff's, NaN where it is not defined.
    """
    frame = pd.DataFrame(records, columns=ANSWER)
    asked = pd.DataFrame([{**row, "question": question} for row in key for question in row["questions"]])
    rows = []
    for question in QUESTIONS:
        for model, given in frame[frame["question"] == question].groupby("model", sort=False):
            given = given.assign(passed=given["answer"] == QUESTIONS[question].answers[0])
            sample = given.groupby(["language", "item"])["passed"].mean().reset_index()
            of = asked[(asked["question"] == question) & (asked["model"] == model)]
            for scope, estimate in estimates(sample, "passed", languages, RATE, **statistics):
                present = set(scopes(languages)[scope]) & set(frame["language"])
                own = given[given["language"].isin(present)]
                counts = {
                    "unsure": int((own["answer"] == "unsure").sum()),
                    "missing": int(of["language"].isin(present).sum()) - estimate["n"],
                    "annotators": own["annotator"].str.casefold().nunique(),
                }
                place = {"question": question, "model": model, "language": scope}
                rows.append(place | estimate | counts | {"alpha": alpha(own)})
    return pd.DataFrame(rows, columns=RESULT)


def alpha(answers: pd.DataFrame) -> float:
    """Krippendorff's alpha of nominal answers, ``unsure`` one of them.

    Krippendorff (2019), Content Analysis, chapter 12. NaN where no item has two answers, or all are the same.

    Parameters
    ----------
    answers : columns annotator, item and answer
    """
    import krippendorff

    coded = answers.assign(code=pd.factorize(answers["answer"])[0], who=answers["annotator"].str.casefold())
    table = coded.pivot(index="who", columns="item", values="code").to_numpy(float)
    table = table[:, (table == table).sum(0) > 1]
    if len(set(table[table == table])) < 2:
        return float("nan")
    return float(krippendorff.alpha(reliability_data=table, level_of_measurement="nominal"))


def verdicts(records: Iterable[Record]) -> list[Record]:
    """What people said of responses: one record per model, prompt and annotator."""
    keep = ("model", "benchmark", "prompt_id", "language", "category", "annotator")
    return [
        {name: row[name] for name in keep} | {"verdict": row["answer"]}
        for row in records
        if row["question"] == "verdict"
    ]


def read_results(paths: Sequence[str | Path]) -> pd.DataFrame:
    """What `results` returned, from its one file; no rows where there is none."""
    return pd.read_csv(paths[0]) if paths else pd.DataFrame(columns=RESULT, dtype=float)


def table_cells(audit: pd.DataFrame, published: pd.DataFrame, languages: Groups) -> pd.DataFrame:
    """Cells of the audit's table: languages and averages that have a rate, then lowest and highest language.

    Parameters
    ----------
    audit : what `read_results` returned
    published : columns metric, language (``lowest`` or ``highest``), value in percent, source and note
    """
    ours = audit[audit["question"] != "verdict"].rename(columns={"question": "metric"}).drop(columns="model")
    order = [scope for _, scope in scope_order(languages)]
    ours = ours.sort_values("language", key=lambda column: column.map(order.index), kind="stable")
    rates = ours[ours["language"].isin(scopes(languages)["all"])].groupby("metric")["value"]
    ends = {"lowest": rates.min(), "highest": rates.max()}
    theirs = published[["metric", "language", "source", "note"]].assign(
        value=[
            ends[end].get(metric, float("nan"))
            for metric, end in zip(published["metric"], published["language"], strict=True)
        ],
        published=published["value"] / 100,
    )
    return pd.concat([ours, theirs], ignore_index=True)


def cell_texts(cells: pd.DataFrame) -> list[str]:
    """``rate [interval], α agreement (published)``, in percent but for α, each part only where it exists."""
    texts = []
    for row in cells.itertuples():
        low, high = number(row.ci_low, 100, 1), number(row.ci_high, 100, 1)
        texts.append(
            (number(row.value, 100, 1) or "–")
            + (f" [{low}, {high}]" if low else "")
            + (f", α {number(row.alpha)}" if row.alpha == row.alpha else "")
            + (f" ({number(row.published, 100, 0)})" if row.published == row.published else "")
        )
    return texts


def note(audit: pd.DataFrame) -> str:
    """What stands under the audit's table about our cells."""
    pairs = audit[(audit["question"] != "verdict") & (audit["language"] == "all")]
    if pairs.empty:
        return "No annotation sheets have been returned for this study, so our cells are empty (–)."
    return (
        "Share of pairs, drawn at random, with the answer yes, with its interval; α is Krippendorff's, where pairs "
        f"have several answers that are not all the same. Annotators: {pairs['annotators'].max()}. On the sheets of "
        f"the returned languages {pairs['missing'].sum()} questions have no answer and are left out; "
        f"{pairs['unsure'].sum()} answers are unsure and count as not yes."
    )
