"""Why a job failed, as its own log tells it."""

import re
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from refuseu.safe import shown

END = 16_384  # bytes of a log that are read
LINES = 12  # of its end that are shown
LONGEST = 400  # characters of a line
LOGGED = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+ ([A-Z]+) (.*)")
TRACEBACK = "Traceback (most recent call last):"
SLACK = 5.0  # seconds that the clock of a file system may be behind
DIED = re.compile(r"died with <Signals\.(\w+)|exit status (1[2-9]\d)\b")
PROGRESS = re.compile(r": (\d+ of \d+)$")


class Failure(NamedTuple):
    """What is told of a failed job.

    Attributes
    ----------
    cause : one line
    lines : the end of the log that explains it; none where the cause says it all
    log : where to read on
    """

    cause: str
    lines: tuple[str, ...] = ()
    log: str = ""


def explain(logs: Sequence[str], began: float, killed: str = "", said: str = "") -> Failure:
    """Why a job failed.

    Parameters
    ----------
    logs : its own log, then others, such as that of SLURM
    began : when it was started; what was written before is of an earlier attempt
    killed : how its process ended, if Snakemake knows
    said : what the executor knows of it
    """
    read = [(log, lines) for log in logs if (lines := end_of(log, began))]
    for log, lines in read:
        if found := cause(lines):
            return Failure(found[0], tuple(lines[-LINES:]) if found[1] else (), log)
    why = said or f"{killed or 'it ended'} without an error in its log; was it killed from outside, or for memory?"
    log, lines = read[-1] if read else (logs[0] if logs else "", [])
    return Failure(why, tuple(lines[-LINES:]), log)


def cause(lines: Sequence[str]) -> tuple[str, bool] | None:
    """The error with which a log ends, and whether it is an exception, which has more lines, or a user's mistake."""
    starts = [number for number, line in enumerate(lines) if line == TRACEBACK]
    if starts:
        after = lines[starts[-1] + 1 :]
        if error := next((line for line in after if line and not line.startswith(" ")), None):
            return error, True
    errors = [match[2] for line in lines if (match := LOGGED.match(line)) and match[1] in ("ERROR", "CRITICAL")]
    return (errors[-1], False) if errors else None


def signal_in(text: str) -> str:
    """What Python says of a process that was ended by a signal, itself or behind a shell; nothing of others."""
    if not (found := DIED.search(text)):
        return ""
    try:
        return f"it was ended by {found[1] or signal.Signals(int(found[2]) - 128).name}"
    except ValueError:
        return ""


def end_of(log: str, since: float) -> list[str]:
    """The last lines of a file that was written since then; none if it was not."""
    try:
        with open(log, "rb") as file:
            if Path(log).stat().st_mtime < since - SLACK:
                return []
            file.seek(max(0, file.seek(0, 2) - END))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [shown(line.rstrip())[:LONGEST] for line in text.splitlines() if line.strip()]


def progress(log: str, since: float) -> str:
    """How far a running job says that it is: ``40 of 120``."""
    found = [match[1] for line in end_of(log, since) if (match := PROGRESS.search(line))]
    return found[-1] if found else ""
