"""One start of a model for several jobs: whoever has loaded it fills the journals of others that would load it, too.

A job's result still comes out of its own journal and depends on its own inputs alone; a job whose journal is full
loads nothing. So it matters to no result who asked, and a job that runs alone asks for itself.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

from refuseu.backends.journaled import kept_open
from refuseu.job.lease import held
from refuseu.job.paths import journal_path

log = logging.getLogger("refuseu")
Found = TypeVar("Found")


def in_one_start(job: Any, ask: Callable[[Any], Found]) -> Found:
    """What a job finds; if it had to load its model, that is then asked for the jobs in its param ``ahead``, too.

    What goes wrong with another's questions is left to that job, and those that follow are asked all the same.

    Parameters
    ----------
    job : Snakemake's object
    ask : asks for a job through its journal; given an object with ``input``, ``output`` and ``params``
    """
    with kept_open() as kept:
        found = ask(job)
        for other in job.params.ahead if kept.backend else ():
            try:
                if ready(other):
                    log.info("asking the loaded model for %s, too", other["output"][0])
                    ask(as_job(other, job))
            except Exception as error:  # with a traceback in the log of its own job
                log.warning("%s is left to its own job: %s: %s", other["output"][0], type(error).__name__, error)
    return found


def ready(other: dict[str, Any]) -> bool:
    """Whether what it reads is there, and nobody is at its journal."""
    return all(Path(file).exists() for file in other["read"]) and not held(journal_path(other["output"][0]))


def as_job(other: dict[str, Any], job: Any) -> SimpleNamespace:
    """Another job as the script sees its own: its inputs and output, and this one's params but where they differ."""
    params = dict(job.params.items()) | other["params"]
    return SimpleNamespace(
        input=SimpleNamespace(**other["input"]), output=other["output"], params=SimpleNamespace(**params)
    )
