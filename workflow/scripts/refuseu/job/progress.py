"""Progress of long jobs: a bar on a terminal, plain lines in the log."""

import logging
import os
import time
from collections.abc import Iterable, Iterator
from typing import Any, TextIO, TypeVar

from refuseu.safe import shown

log = logging.getLogger("refuseu")
Item = TypeVar("Item")

# Where bars go: the terminal that Snakemake was started on (set by refuseu.job.start), if it is one.
terminal: TextIO | None = None
ONE_BAR = "REFUSEU_ONE_BAR"  # set where the run has one bar for all jobs, which reads how far they are in their logs
PATIENCE = 30.0  # seconds between two words on waiting
waiting_told = -PATIENCE


def bar(total: int, what: str) -> Any:
    """A tqdm bar on the terminal, silent where there is none."""
    from tqdm import tqdm

    shown = terminal is not None and terminal.isatty() and ONE_BAR not in os.environ
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


def tell(sentence: str) -> None:
    """A sentence for whoever waits at the terminal, and for the log."""
    log.warning("%s", sentence)
    if terminal is not None:
        above = "\r\x1b[K" if terminal.isatty() else ""  # the bar is drawn anew below
        terminal.write(f"{above}{shown(sentence)}\n")
        terminal.flush()


def tell_of_waiting(sentence: str) -> None:
    """A sentence on a server that is waited for, for the log, and now and then for whoever waits at the terminal."""
    global waiting_told
    if (now := time.monotonic()) - waiting_told < PATIENCE:
        log.info("%s", sentence)
    else:
        waiting_told = now
        tell(sentence)
