"""Where a job keeps what outlives it."""

from pathlib import Path


def journal_path(output: str | Path) -> Path:
    """``results/study/journal/rule/…`` for the output ``results/study/rule/…``."""
    parts = Path(output).parts
    return Path(*parts[:2], "journal", *parts[2:]).with_suffix(".jsonl")
