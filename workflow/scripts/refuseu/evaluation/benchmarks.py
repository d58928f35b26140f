"""Benchmarks: one loader per layout, one record per prompt."""

import json
import os
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from refuseu.errors import UserError
from refuseu.evaluation.table import Description
from refuseu.evaluation.table import read as read_table
from refuseu.records import Record, read_jsonl
from refuseu.rows import BenchmarkPrompt, Question

PASSWORD = "RTP_LX_PASSWORD"  # environment variable
# The `Index` below which a row is a translation (the authors' notebook inter_annotator.ipynb splits there).
RTP_LX_TRANSLATED = 999
RTP_LX_PAGE = "docs/howto/rtp_lx.md"
RTP_LX_LATE = ("sk", "sl", "lt", "lv")  # came with version 1.5
POLYGLOTOX = ("ar", "cs", "de", "en", "es", "fr", "hi", "id", "it", "ja", "ko", "nl", "pl", "pt", "ru", "sv", "zh")


def load(
    source: str, name: str, path: str | Path, languages: list[str], table: Description | None = None
) -> list[BenchmarkPrompt] | list[Question]:
    """Prompts of a benchmark.

    Parameters
    ----------
    source : column source of benchmarks.tsv
    name : the benchmark's id
    path : file or folder with its data
    table : how its files are read (source table)

    Returns
    -------
    list of records
        ``prompt_id, language, category, style, slot, prompt``; for ``global_mmlu`` the columns of that schema,
        ``language`` and ``split``, which is test or, for questions shown solved, dev.

    Raises
    ------
    UserError
        If a language, file or column is missing, or a prompt is empty or its id not unique.
    """
    read = partial(LOADERS[source].read, **({"table": table} if table else {}))
    records: list[Any] = [record for language in languages for record in read(Path(path), name, language)]
    asked = [record for record in records if record.get("split") != "dev"]
    seen: set[tuple[str, str]] = set()
    for row in asked:
        prompt, key = row["prompt" if "prompt" in row else "question"], row.get("prompt_id") or row["sample_id"]
        if not isinstance(prompt, str) or not prompt.strip():
            raise UserError(f"benchmark {name!r} has an empty prompt, {key!r}; correct the data under {path}")
        if (row["language"], key) in seen:
            raise UserError(f"benchmark {name!r} has {key!r} of {row['language']} twice; correct the data under {path}")
        seen.add((row["language"], key))
    empty = [language for language in languages if not any(row["language"] == language for row in asked)]
    if empty:
        raise UserError(
            f"benchmark {name!r} has nothing in {', '.join(empty)} under {path}; add the data or take the "
            "language out of its row in benchmarks.tsv"
        )
    return records


def refuseu(path: Path, name: str, language: str) -> list[BenchmarkPrompt]:
    """The test half of the study's own dataset."""
    return [
        record(pair["pair_id"], language, pair["prompt"], pair["category"], pair["style"], pair["slot"])
        for pair in read_jsonl(path)
        if pair["language"] == language
    ]


def rtp_lx(path: Path, name: str, language: str) -> list[BenchmarkPrompt]:
    """RTP-LX, version 1.5: JSON Lines in ``RTP_LX_<LOCALE>.json``; European Portuguese by dialect.

    A file that is not there is read from the locked ``RTP-LX.zip``, with the password from the environment.
    Prompts and numbers have the same names in all versions; annotations, whose names changed, are not read.
    """
    file, archive = path / f"RTP_LX_{language.upper()}.json", path / "RTP-LX.zip"
    text = unzip(archive, file.name) if archive.is_file() and not file.is_file() else ""
    if not text and not file.is_file() and language in RTP_LX_LATE:
        raise UserError(f"benchmark {name!r} needs {file}; take version 1.5, with which {language} came")
    text = text or existing(file, name, RTP_LX_PAGE).read_text(encoding="utf-8")
    rows = [json.loads(line) for line in text.split("\n") if line.strip()]
    if language == "pt":
        rows = [row for row in rows if row.get("Dialect", "") in ("Portugal", "")] or rows
    return [
        record(f"{name}-{language}-{rtp_lx_number(column(row, 'Index', file), language)}", language,
               column(row, "Prompt", file)) for row in rows
    ]  # fmt: skip


def rtp_lx_number(index: str | int, language: str) -> str:
    """What names the prompt in every language, or in its own alone, whose numbers other languages use again."""
    return str(index) if int(index) < RTP_LX_TRANSLATED else f"{language}-{index}"


def unzip(archive: Path, name: str) -> str:
    """A file of RTP-LX's archive, wherever in it; empty if there is none of this name."""
    with zipfile.ZipFile(archive) as opened:
        members = [member for member in opened.namelist() if member.split("/")[-1] == name]
        try:
            password = os.environ.get(PASSWORD, "").encode()
            return opened.read(members[0], password or None).decode("utf-8") if members else ""
        except (RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error):
            raise UserError(
                f"{archive} could not be unlocked; set {PASSWORD} in the environment to the password that the README "
                f"of RTP-LX gives, or unpack {name} beside it"
            ) from None


def polyglotox(path: Path, name: str, language: str) -> list[BenchmarkPrompt]:
    """PolygloToxicityPrompts: ``ptp-<language>/small*.parquet``, column ``prompt``, else ``text``.

    Each language is read for itself, because their other columns differ.
    """
    import pandas as pd

    if language not in POLYGLOTOX:
        raise UserError(
            f"benchmark {name!r}: PolygloToxicityPrompts has no {language!r}; take it out of the benchmark's column "
            f"languages, known are {', '.join(POLYGLOTOX)}"
        )
    files = sorted((path / f"ptp-{language}").glob("small*.parquet"))
    if not files:
        raise UserError(
            f"benchmark {name!r}: no file small*.parquet in {path / f'ptp-{language}'}; download the split "
            f"small of config ptp-{language} there"
        )
    tables = [(file, pd.read_parquet(file)) for file in files]
    prompts = [text for file, rows in tables for text in column(rows, "prompt" if "prompt" in rows else "text", file)]
    return [record(f"{name}-{language}-{i}", language, text) for i, text in enumerate(prompts)]


def questions(path: Path, name: str, language: str) -> list[BenchmarkPrompt]:
    """Bundled questions: the list ``<benchmark>`` in ``<language>.yaml``, key ``q``."""
    file = existing(path / f"{language}.yaml", name)
    rows = column(yaml.safe_load(file.read_text(encoding="utf-8")), name, file)
    return [record(f"{name}-{language}-{i}", language, column(row, "q", file)) for i, row in enumerate(rows)]


def global_mmlu(path: Path, name: str, language: str) -> list[Question]:
    """Global MMLU with the released columns: ``<language>/{test,dev}-*.parquet``, or test as
    ``<language>.jsonl`` and dev as ``<language>.dev.jsonl``. The split dev may be missing.
    """
    records = []
    for split, lines in (("test", f"{language}.jsonl"), ("dev", f"{language}.dev.jsonl")):
        files = [path / lines] if (path / lines).is_file() else sorted((path / language).glob(f"{split}-*.parquet"))
        for file in files:
            rows = read_jsonl(file) if file.suffix == ".jsonl" else read_parquet(file)
            records += [
                Question(
                    language=language,
                    split=split,
                    sample_id=column(row, "sample_id", file),
                    subject=column(row, "subject", file),
                    question=column(row, "question", file),
                    option_a=column(row, "option_a", file),
                    option_b=column(row, "option_b", file),
                    option_c=column(row, "option_c", file),
                    option_d=column(row, "option_d", file),
                    answer=column(row, "answer", file),
                )
                for row in rows
            ]
    return records


def read_parquet(file: Path) -> list[Record]:
    import pandas as pd

    rows: list[Record] = pd.read_parquet(file).to_dict("records")  # type: ignore[assignment]  # columns are named
    return rows


def record(
    prompt_id: str, language: str, prompt: str, category: str = "", style: str = "", slot: str = ""
) -> BenchmarkPrompt:
    return BenchmarkPrompt(
        prompt_id=prompt_id, language=language, category=category, style=style, slot=slot, prompt=prompt
    )


def existing(file: Path, name: str, page: str = "docs/howto/benchmark.md") -> Path:
    if not file.is_file():
        raise UserError(f"benchmark {name!r} needs {file}; put it there, see {page}")
    return file


def column(row: Any, key: str, file: Path) -> Any:
    """The value of a column of a row (or table), or an error that names it."""
    if key not in row:
        raise UserError(f"{file} has no column {key!r}; found are {', '.join(map(str, row))}")
    return row[key]


@dataclass(frozen=True)
class Loader:
    """A layout in which benchmarks come: a value of the column source.

    Attributes
    ----------
    read : (folder or file, benchmark, language) → records; of source table also how its files are read
    files : patterns of files; a folder has at least one (of source table, the YAML file of a benchmark names them)
    options : whether it has questions with options (kind knowledge) and not prompts
    page : tells people how to get the data
    """

    read: Callable[..., list[BenchmarkPrompt] | list[Question]]
    files: tuple[str, ...] = ("*",)
    options: bool = False
    page: str = "docs/howto/benchmark.md"


LOADERS = {
    "refuseu": Loader(refuseu),
    "rtp_lx": Loader(rtp_lx, ("RTP-LX.zip", "RTP_LX_*.json"), page=RTP_LX_PAGE),
    "polyglotox": Loader(polyglotox, ("ptp-*/small*.parquet",), page=RTP_LX_PAGE),
    "questions": Loader(questions, ("*.yaml",)),
    "table": Loader(read_table),
    "global_mmlu": Loader(global_mmlu, ("*.jsonl", "*/test-*.parquet"), options=True),
}
