"""Progress of long jobs: a bar on a terminal, plain lines in the log."""

import logging
from collections.abc import Iterable, Iterator
from typing import Any, TextIO, TypeVar

from tqdm import tqdm

log = logging.getLogger("refuseu")
Item = TypeVar("Item")

# Where bars go: the terminal that Snakemake was started on (set by refuseu.job.start), if it is one.
terminal: TextIO | None = None


def hush() -> None:
    """Leave out what Snakemake says before each job; its count of finished steps says as much."""
    chatter = ("Select jobs to execute", "Execute ")
    logging.getLogger("snakemake.logging").addFilter(lambda record: not str(record.msg).startswith(chatter))


def unthrottle(scheduler: Any) -> None:
    """Take away Snakemake's limit of 100 job starts per second, unless another was asked for.

    With a limit each round of scheduling starts a timer that starts another round (seen in 9.27): after some
    hundred jobs, rounds take most of a core.

    Parameters
    ----------
    scheduler : Snakemake's, before its first job
    """
    limit = scheduler.job_rate_limiter
    if limit and (limit.max_jobs, limit.timespan) == (100, 1):
        scheduler.job_rate_limiter = None


def bar(total: int, what: str) -> Any:
    """A tqdm bar on the terminal, silent where there is none."""
    shown = terminal is not None and terminal.isatty()
    return tqdm(total=total, desc=what, file=terminal, disable=not shown, leave=False, dynamic_ncols=True)


def track(items: Iterable[Item], total: int, what: str) -> Iterator[Item]:
    """Pass items through, moving the bar and logging a line for every tenth of them."""
    step = max(1, total // 10)
    with bar(total, what) as shown:
        for done, item in enumerate(items, start=1):
            shown.update()
            if done % step == 0 or done == total:
                log.info("%s: %d of %d", what, done, total)
            yield item
