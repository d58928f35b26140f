"""The order of the report: its sections, as in the papers, and the tables and figures of each."""

import re
from collections.abc import Iterable
from pathlib import Path

from refuseu.errors import UserError

SECTIONS = {
    "The study": ("report", "claims"),
    "The dataset": (
        "funnel_table", "table6", "fig2", "agreement_table", "leakage", "table8", "judge_accuracy_table",
    ),
    "Safety": (
        "table1", "fig3", "published_table", "fig4", "outcomes_table", "table2", "rtp_lx", "polyglotox", "table16",
        "fig12",
    ),
    "Knowledge, fluency and language": ("table3", "fig6", "fig7", "fig8", "confusion_figure", "fig10", "fig11"),
    "Training": ("training_curves",),
    "The open question": ("open_question", "open_question_figure"),
    "Judge error": ("corrected_asr", "judge_error"),
}  # fmt: skip
FURTHER = "Beyond the papers"


def section(target: str) -> str:
    """Where a table or figure stands; one that no section names is beyond the papers."""
    return next((title for title, targets in SECTIONS.items() if target in targets), FURTHER)


def in_order(targets: Iterable[str]) -> list[str]:
    """Targets as the report shows them; those beyond the papers keep their order."""
    places = {target: place for place, target in enumerate(sum(SECTIONS.values(), ()))}
    return sorted(targets, key=lambda target: places.get(target, len(places)))


def caption(path: str | Path) -> tuple[str, str]:
    """Title and text of a caption file: ``**Title.** text``.

    Raises
    ------
    UserError
        If the file does not start with a title.
    """
    text = " ".join(Path(path).read_text(encoding="utf-8").split())
    if not (match := re.fullmatch(r"\*\*(.+?)\.?\*\*\s*(.*)", text)):
        raise UserError(f"{path} does not start with a title; write it as **Title.** before the text")
    return match[1], match[2]


def labelled(target: str, captions: Path) -> dict[str, object]:
    """Section, title and caption of a table or figure for Snakemake's own report.

    Parameters
    ----------
    captions : folder of the caption files
    """
    file = captions / f"{target}.rst"
    return {"caption": str(file), "category": section(target), "labels": {"artifact": caption(file)[0]}}
