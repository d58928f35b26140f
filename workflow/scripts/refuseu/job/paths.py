"""Where a job keeps what outlives it."""

from pathlib import Path


def journal_path(output: str | Path, without: str = "") -> Path:
    """``results/study/journal/rule/…`` for the output ``results/study/rule/…``.

    Parameters
    ----------
    without : a folder in which jobs differ that share a journal, such as the phase
    """
    top, study, rule, *rest = Path(output).parts
    return Path(top, study, "journal", rule, *(part for part in rest if part != without)).with_suffix(".jsonl")


def translations_path(output: str | Path) -> Path:
    """The store that all jobs of a study share which pay for translations: no text is paid for twice."""
    return journal_path(Path(*Path(output).parts[:2], "translate", "deepl.jsonl"))
