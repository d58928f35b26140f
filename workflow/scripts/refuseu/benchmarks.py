"""Benchmarks: one loader per layout, one record per prompt."""

import json
from collections.abc import Callable
from pathlib import Path

import yaml

from refuseu.errors import UserError
from refuseu.records import Record, read_jsonl


def load(source: str, name: str, path: str | Path, languages: list[str]) -> list[Record]:
    """Prompts of a benchmark.

    Parameters
    ----------
    source : column source of benchmarks.tsv
    name : the benchmark's id
    path : file or folder with its data

    Returns
    -------
    list of records
        ``prompt_id, language, category, style, prompt``; for ``global_mmlu`` the columns of that schema
        and ``language``.

    Raises
    ------
    UserError
        If a language, file or column is missing.
    """
    records = [record for language in languages for record in LOADERS[source](Path(path), name, language)]
    empty = [language for language in languages if not any(r["language"] == language for r in records)]
    if empty:
        raise UserError(
            f"benchmark {name!r} has nothing in {', '.join(empty)} under {path}; add the data or take the "
            "language out of its row in benchmarks.tsv"
        )
    return records


def refuseu(path: Path, name: str, language: str) -> list[Record]:
    """The test half of the study's own dataset."""
    return [
        record(pair["pair_id"], language, pair["prompt"], pair["category"], pair["style"])
        for pair in read_jsonl(path)
        if pair["language"] == language
    ]


def rtp_lx(path: Path, name: str, language: str) -> list[Record]:
    """RTP-LX, version 1.5: JSON Lines in ``RTP_LX_<LOCALE>.json``; European Portuguese by dialect."""
    file = existing(path / f"RTP_LX_{language.upper()}.json", name)
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n") if line.strip()]
    if language == "pt":
        rows = [row for row in rows if row.get("Dialect", "") in ("Portugal", "")] or rows
    return [
        record(f"{name}-{language}-{column(row, 'Index', file)}", language, column(row, "Prompt", file)) for row in rows
    ]


def polyglotox(path: Path, name: str, language: str) -> list[Record]:
    """PolygloToxicityPrompts: ``ptp-<language>/small*.parquet``, column ``prompt``, else ``text``."""
    import pandas as pd

    files = sorted((path / f"ptp-{language}").glob("small*.parquet"))
    if not files:
        raise UserError(
            f"benchmark {name!r}: no file small*.parquet in {path / f'ptp-{language}'}; download the split "
            f"small of config ptp-{language} there"
        )
    rows = pd.concat([pd.read_parquet(file) for file in files]).to_dict("records")
    key = "prompt" if rows and "prompt" in rows[0] else "text"
    return [record(f"{name}-{language}-{i}", language, column(row, key, files[0])) for i, row in enumerate(rows)]


def questions(path: Path, name: str, language: str) -> list[Record]:
    """Bundled questions: the list ``<benchmark>`` in ``<language>.yaml``, key ``q``."""
    file = existing(path / f"{language}.yaml", name)
    rows = column(yaml.safe_load(file.read_text(encoding="utf-8")), name, file)
    return [record(f"{name}-{language}-{i}", language, column(row, "q", file)) for i, row in enumerate(rows)]


def global_mmlu(path: Path, name: str, language: str) -> list[Record]:
    """Global MMLU: ``<language>.jsonl`` or ``<language>/test-*.parquet`` with the released columns."""
    if (file := path / f"{language}.jsonl").is_file():
        rows = read_jsonl(file)
    else:
        import pandas as pd

        files = sorted((path / language).glob("test-*.parquet"))
        rows = [row for file in files for row in pd.read_parquet(file).to_dict("records")]
    wanted = ("sample_id", "subject", "question", "option_a", "option_b", "option_c", "option_d", "answer")
    return [{"language": language} | {key: column(row, key, file) for key in wanted} for row in rows]


def record(prompt_id: str, language: str, prompt: str, category: str = "", style: str = "") -> Record:
    return {
        "prompt_id": prompt_id,
        "language": language,
        "category": category,
        "style": style,
        "prompt": prompt,
    }


def existing(file: Path, name: str) -> Path:
    if not file.is_file():
        raise UserError(f"benchmark {name!r} needs {file}; put it there, see config/README.md")
    return file


def column(row: dict, key: str, file: Path):
    """The value of a column, or an error that names it."""
    if key not in row:
        raise UserError(f"{file} has no column {key!r}; found are {', '.join(map(str, row))}")
    return row[key]


LOADERS: dict[str, Callable[[Path, str, str], list[Record]]] = {
    "refuseu": refuseu,
    "rtp_lx": rtp_lx,
    "polyglotox": polyglotox,
    "questions": questions,
    "global_mmlu": global_mmlu,
}
