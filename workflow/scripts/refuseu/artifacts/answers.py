"""The page on which a person looks through the answers of a study, and the same rows for notebooks."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow
from markupsafe import Markup
from pyarrow import parquet

from refuseu import pages
from refuseu.analysis.runs import Labels, Models
from refuseu.artifacts.names import run_name
from refuseu.artifacts.report import first_words
from refuseu.categories import CATEGORIES
from refuseu.joins import by_key, joined
from refuseu.languages import languages
from refuseu.records import Record, atomic, read_jsonl, write_text

COLUMNS = (
    "prompt_id", "language", "category", "style", "detected", "outcome", "stated", "marked", "verdict", "decided_by",
    "labels", "fluency", "correctness", "prompt", "response",
)  # fmt: skip
# None where there is none; all others are texts, then empty.
KNOWN = {"stated": pyarrow.bool_(), "marked": pyarrow.bool_(), "fluency": pyarrow.int8(), "correctness": pyarrow.int8()}


def read_rows(responses: str, measures: str, prompts: str, reveal: bool) -> list[Record]:
    """What is known of each response of a run, with the keys `COLUMNS`.

    Parameters
    ----------
    responses, measures, prompts : files of rules generate, measure and load_benchmark
    reveal : whether texts are whole; else they are cut to their first words

    Raises
    ------
    UserError
        If a response has no measure or prompt.
    """
    answered = read_jsonl(responses)
    known = joined(answered, read_jsonl(measures), measures)
    asked = by_key(read_jsonl(prompts), prompts)
    rows = []
    for answer, measure in zip(answered, known, strict=True):
        row = asked[answer["language"], answer["prompt_id"]] | measure | answer
        found = {column: row.get(column, None if column in KNOWN else "") for column in COLUMNS}
        found["labels"] = row.get("labels", {})
        if not reveal:
            found |= {text: shortened(row[text]) for text in ("prompt", "response")}
        rows.append(found)
    return rows


def shortened(text: str) -> str:
    """The first words, and a sign if there is more."""
    first, whole = first_words(text)
    return f"{first} …" if whole else first


def write_run(path: Path, run: str, rows: Iterable[Record]) -> None:
    """Rows of a run as a script that hands them to the page: a page from a disk may load nothing else.

    Parameters
    ----------
    run : model and benchmark, ``8b/refuseu_test``
    """
    values = json.dumps([[row[column] for column in COLUMNS] for row in rows], ensure_ascii=False)
    write_text(path, f"answers.add({json.dumps(run)}, {json.dumps(values, ensure_ascii=False)});\n")


def as_table(rows: Sequence[Record], labels: Labels, benchmark: str, judges: Sequence[str]) -> pyarrow.Table:
    """Rows of a run with its labels, and a column for the label of each judge."""
    about = {**labels, "benchmark": benchmark}
    columns: dict[str, list[Any]] = {key: [str(value)] * len(rows) for key, value in about.items()}
    columns |= {column: [row[column] for row in rows] for column in COLUMNS if column != "labels"}
    columns |= {f"label_{judge}": [row["labels"].get(judge, "") for row in rows] for judge in judges}
    schema = pyarrow.schema([(key, KNOWN.get(key, pyarrow.string())) for key in columns])
    return pyarrow.table(columns, schema=schema)


def write(
    folder: Path,
    page: str,
    runs: Mapping[tuple[str, str], tuple[str, str, str]],
    models: Models,
    judges: Sequence[str],
    reveal: bool,
) -> None:
    """Page, data of each run, and ``verdicts.parquet``.

    Parameters
    ----------
    page : what `as_html` returned
    runs : (model, benchmark) → files of its responses, measures and prompts
    judges : whose labels the verdicts are made of
    """
    writer = None
    with atomic(folder / "verdicts.parquet") as temporary:
        for (model, benchmark), files in runs.items():
            rows = read_rows(*files, reveal)
            write_run(folder / "data" / model / f"{benchmark}.js", f"{model}/{benchmark}", rows)
            table = as_table(rows, models[model], benchmark, judges)
            writer = writer or parquet.ParquetWriter(temporary, table.schema)
            writer.write_table(table)
        if writer:
            writer.close()
    write_text(folder / "index.html", page)


def as_html(
    layout: str | Path,
    script: str | Path,
    study: str,
    evaluations: Iterable[tuple[str, str]],
    models: Models,
    reveal: bool,
) -> str:
    """The page.

    Parameters
    ----------
    layout, script : Jinja file, and what runs on the page
    evaluations : (model, benchmark) whose rows lie in its folder ``data``
    """
    benchmarks: dict[str, list[str]] = {}
    for model, benchmark in evaluations:
        benchmarks.setdefault(benchmark, []).append(model)
    facts = {
        "name": study,
        "reveal": reveal,
        "columns": COLUMNS,
        "benchmarks": benchmarks,
        "models": {model: run_name(own["base"], own["variant"], own["seed"]) for model, own in models.items()},
        "languages": {code: language.name for code, language in languages().items()},
        "categories": CATEGORIES,
    }
    embedded = json.dumps(facts, ensure_ascii=False).replace("<", "\\u003c")
    code = Markup(Path(script).read_text(encoding="utf-8"))
    return pages.html(layout, study=facts, embedded=Markup(embedded), script=code)
