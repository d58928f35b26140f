"""The layout of the released dataset, `NASK-PIB/RefusEU`: preference pairs per language and evaluation prompts."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from refuseu.errors import UserError
from refuseu.rows import Pair, ReleasedPrompt, Turn

log = logging.getLogger("refuseu")

TURNS, TEXT, NUMBER = "a list of {content, role}", "text", "whole numbers"
PAIRS = {"chosen": TURNS, "rejected": TURNS, "lang": TEXT, "id": TEXT, "row_id": NUMBER, "category": TEXT}
PROMPTS = {"row_id": NUMBER, "lang": TEXT, "prompt": TEXT}


def read(
    folder: str | Path, languages: Sequence[str], category_by_row_id: bool = False
) -> tuple[list[Pair], list[ReleasedPrompt]]:
    """Train pairs of ``lang_xx`` and prompts of ``evaluation``.

    Parameters
    ----------
    category_by_row_id : give a prompt, which has no category of its own, that of the rows of
        ``lang_xx`` with its row_id, since rows of one row_id share a slot; empty where there are none

    Raises
    ------
    UserError
        If a config, split or column is missing, or holds what does not fit.
    """
    train = {code: rows(folder, f"lang_{code}", "train", PAIRS) for code in languages}
    for code, (file, own) in train.items():
        for number, row in enumerate(own):
            check_pair(row, code, f"{file}, row {number}")
        unique([row["id"] for row in own], file, "id")
    file, asked = rows(folder, "evaluation", "eval", PROMPTS)
    unique([(row["lang"], row["row_id"]) for row in asked], file, "row_id")
    if absent := [code for code in languages if not any(row["lang"] == code for row in asked)]:
        raise UserError(
            f"{file}, column 'lang' has no row in {', '.join(absent)}; take such languages out of the study"
        )
    pairs = [row for _, own in train.values() for row in own]
    categories: dict[int, str] = {}
    if category_by_row_id:
        tested = [row for code in languages for row in rows(folder, f"lang_{code}", "test", PAIRS)[1]]
        categories = slot_categories([*pairs, *tested], folder)
    prompts = [prompt_record(row, categories) for row in asked if row["lang"] in languages]
    if category_by_row_id:
        known = sum(bool(prompt["category"]) for prompt in prompts)
        log.info("%d of %d evaluation prompts have a category through their row_id", known, len(prompts))
        if not known:
            raise UserError(
                f"{file}: no row_id occurs in the training and test rows, so no prompt gets a category; set "
                "dataset.category_by_row_id to false"
            )
    return [pair_record(row) for row in pairs], prompts


def rows(folder: str | Path, config: str, split: str, columns: dict[str, str]) -> tuple[Path, list[dict[str, Any]]]:
    """The first file of a split and the rows of all its files; every value is there and of its type."""
    import pyarrow.parquet as pq

    files = sorted(Path(folder, config).glob(f"{split}-*.parquet"))
    if not files:
        raise UserError(
            f"{folder}/{config} has no file {split}-*.parquet; check dataset.repository and revision, and the study's "
            "languages"
        )
    found = []
    for file in files:
        table = pq.read_table(file)
        for column, kind in columns.items():
            if column not in table.column_names:
                names = ", ".join(table.column_names)
                raise UserError(f"{file} has no column {column!r} (found {names}); the revision has another layout")
            if not fits(table.schema.field(column).type, kind):
                raise UserError(
                    f"{file}, column {column!r} holds {table.schema.field(column).type} where {kind} is expected; "
                    "the revision has another layout"
                )
            if table[column].null_count:
                raise UserError(f"{file}, column {column!r} is empty in {table[column].null_count} rows; mend the data")
        found += table.select(list(columns)).to_pylist()
    if not found:
        raise UserError(f"{files[0]} has no rows; check dataset.repository and revision")
    return files[0], found


def fits(found: Any, kind: str) -> bool:
    """Whether a column's type in the file can hold what is expected."""
    from pyarrow import types

    if kind == NUMBER:
        return bool(types.is_integer(found))
    if kind == TEXT:
        return bool(types.is_string(found) or types.is_large_string(found) or types.is_string_view(found))
    if not (types.is_list(found) or types.is_large_list(found)) or not types.is_struct(found.value_type):
        return False
    return {"content", "role"} <= {field.name for field in found.value_type if fits(field.type, TEXT)}


def check_pair(row: dict[str, Any], language: str, where: str) -> None:
    """Raise unless a row of ``lang_xx`` is in its language and both answers follow the same user turn."""
    if row["lang"] != language:
        raise UserError(f"{where}, column 'lang' says {row['lang']!r} in the rows of {language!r}; mend the data")
    for side in ("chosen", "rejected"):
        turns = row[side]
        roles = [turn and turn["role"] for turn in turns]
        if roles[-2:] != ["user", "assistant"] or not turns[-2]["content"] or turns[-1]["content"] is None:
            raise UserError(
                f"{where}, column {side!r} does not end with a user turn and an answer to it (roles: "
                f"{', '.join(map(str, roles)) or 'none'}); the revision has another layout"
            )
    if row["chosen"][:-1] != row["rejected"][:-1]:
        raise UserError(f"{where}, columns 'chosen' and 'rejected' answer different prompts; mend the data")


def unique(keys: Sequence[Any], file: Path, column: str) -> None:
    """Raise if a row is named twice."""
    seen = set()
    for key in keys:
        if key in seen:
            raise UserError(f"{file}, column {column!r} has {key!r} twice; mend the data")
        seen.add(key)


def slot_categories(pairs: Sequence[dict[str, Any]], folder: str | Path) -> dict[int, str]:
    """row_id → category."""
    categories: dict[int, str] = {}
    for row in pairs:
        if categories.setdefault(row["row_id"], row["category"]) != row["category"]:
            raise UserError(
                f"{folder}: row_id {row['row_id']} has the categories {categories[row['row_id']]!r} and "
                f"{row['category']!r}, so it gives no category; set dataset.category_by_row_id to false"
            )
    return categories


def pair_record(row: dict[str, Any]) -> Pair:
    """A pair as the study keeps it; the prompt is the first user turn."""
    turns = {
        side: [Turn(role=turn["role"], content=turn["content"]) for turn in row[side]]
        for side in ("chosen", "rejected")
    }
    return Pair(
        pair_id=f"{row['lang']}-{row['id']}",
        language=row["lang"],
        category=row["category"],
        activity="",
        style="",
        prompt=next(turn["content"] for turn in turns["chosen"] if turn["role"] == "user"),
        chosen=turns["chosen"],
        rejected=turns["rejected"],
    )


def prompt_record(row: dict[str, Any], categories: dict[int, str]) -> ReleasedPrompt:
    """A test prompt as the study keeps it, its slot the row_id; without a category no measures per category."""
    return ReleasedPrompt(
        pair_id=f"{row['lang']}-{row['row_id']}",
        language=row["lang"],
        category=categories.get(row["row_id"], ""),
        style="",
        slot=str(row["row_id"]),
        prompt=row["prompt"],
    )
