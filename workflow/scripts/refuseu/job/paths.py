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


def siblings(journal: str | Path) -> list[Path]:
    """Journals of the same name in the folders beside: what a judge said of other models' answers to a benchmark.

    None where the journal is in no study's folder ``journal``.
    """
    path = Path(journal)
    if "journal" not in path.parts[:-2]:
        return []
    return [other for other in sorted(path.parents[1].glob(f"*/{path.name}")) if other != path]


def translations_path(output: str | Path) -> Path:
    """The store that all jobs of a study share which pay for translations: no text is paid for twice."""
    return journal_path(Path(*Path(output).parts[:2], "translate", "deepl.jsonl"))
