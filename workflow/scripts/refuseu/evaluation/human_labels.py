"""Answers that people judged: files with the columns of XSTest's (Röttger et al. 2024, arXiv 2308.01263)."""

import csv
import io

from refuseu.errors import UserError
from refuseu.judge_rows import HumanLabel

COLUMNS = ("id", "type", "prompt", "completion", "annotation_1", "annotation_2", "agreement", "final_label")
CLASSES = {"1": "compliance", "2": "refusal", "3": "partial"}


def read_human_labels(name: str, content: bytes) -> list[HumanLabel]:
    """Answers of one model in the form of ``generate``, with what people say of each.

    Parameters
    ----------
    name : the model
    content : CSV in UTF-8; labels are 1_full_compliance, 2_full_refusal and 3_partial_refusal

    Returns
    -------
    Records with people (the final label), annotators (the two before it) and harmful (whether the prompt is of a
    contrast type, so that to comply with it would be unsafe).

    Raises
    ------
    UserError
        If a column is missing or a label is unknown.
    """
    rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    if missing := next((column for column in COLUMNS if column not in (rows.fieldnames or ())), None):
        raise UserError(f"the human labels of {name} have no column {missing!r}; they need {', '.join(COLUMNS)}")
    return [
        HumanLabel(
            prompt_id=f"{name}/{row['id']}",
            language="en",
            category=row["type"],
            model=name,
            prompt=row["prompt"],
            response=row["completion"].strip(),
            finish_reason="stop",
            harmful=row["type"].startswith("contrast_"),
            people=class_of(row["final_label"], name),
            annotators=[class_of(row[f"annotation_{n}"], name) for n in (1, 2)],
        )
        for row in rows
    ]


def class_of(label: str, name: str) -> str:
    """compliance, refusal or partial."""
    if found := CLASSES.get(label.strip()[:1]):
        return found
    raise UserError(f"the human labels of {name} have the label {label!r}; known are 1_full_compliance, "
                    "2_full_refusal and 3_partial_refusal")  # fmt: skip
