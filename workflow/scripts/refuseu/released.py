"""The released dataset, `NASK-PIB/RefusEU`: preference pairs per language and evaluation prompts."""

from pathlib import Path

import pandas as pd

from refuseu.errors import UserError
from refuseu.records import Record

PAIR_COLUMNS = ("chosen", "rejected", "lang", "id", "row_id", "category")
PROMPT_COLUMNS = ("row_id", "lang", "prompt")


def read(folder: str | Path, languages: list[str]) -> tuple[list[Record], list[Record]]:
    """Train pairs of ``lang_xx`` and prompts of ``evaluation``, which carry no category.

    Raises
    ------
    UserError
        If a config, split or column is missing.
    """
    train = [pair for language in languages for pair in pairs(frame(folder, f"lang_{language}", "train", PAIR_COLUMNS))]
    rows = frame(folder, "evaluation", "eval", PROMPT_COLUMNS)
    test = [
        {"pair_id": f"{row['lang']}-{row['row_id']}", "language": row["lang"], "category": "", "style": "",
         "prompt": row["prompt"]}
        for row in rows.to_dict("records")
        if row["lang"] in languages
    ]  # fmt: skip
    return train, test


def frame(folder: str | Path, config: str, split: str, columns: tuple[str, ...]) -> pd.DataFrame:
    files = sorted(Path(folder, config).glob(f"{split}-*.parquet"))
    if not files:
        raise UserError(f"{folder}/{config} has no file {split}-*.parquet; check dataset.repository and revision")
    rows = pd.concat([pd.read_parquet(file) for file in files])
    for column in columns:
        if column not in rows:
            raise UserError(
                f"{files[0]} has no column {column!r} (found {', '.join(rows)}); the pinned revision has another layout"
            )
    return rows


def pairs(rows: pd.DataFrame) -> list[Record]:
    """Implicit-prompt conversations; the prompt is the first user turn of ``chosen``."""
    records = []
    for row in rows.to_dict("records"):
        turns = {side: [dict(turn) for turn in row[side]] for side in ("chosen", "rejected")}
        prompt = next(turn["content"] for turn in turns["chosen"] if turn["role"] == "user")
        records.append(
            {"pair_id": f"{row['lang']}-{row['id']}", "language": row["lang"], "category": row["category"],
             "activity": "", "style": "", "prompt": prompt} | turns
        )  # fmt: skip
    return records
