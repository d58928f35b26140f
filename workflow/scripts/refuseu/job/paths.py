"""Where a job keeps what outlives it."""

from pathlib import Path


def journal_path(output: str | Path) -> Path:
    """``results/study/journal/rule/…`` for the output ``results/study/rule/…``."""
    parts = Path(output).parts
    return Path(*parts[:2], "journal", *parts[2:]).with_suffix(".jsonl")


def translations_path(output: str | Path) -> Path:
    """The store that all jobs of a study share which pay for translations: no text is paid for twice."""
    return journal_path(Path(*Path(output).parts[:2], "translate", "deepl.jsonl"))
