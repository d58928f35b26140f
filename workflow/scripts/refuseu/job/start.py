"""How a file in ``workflow/scripts`` becomes a job: ``@script def main(snakemake)``."""

import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from refuseu.errors import UserError
from refuseu.job import environment, progress
from refuseu.safe import Formatter

log = logging.getLogger("refuseu")


def script(main: Callable[[Any], None]) -> Callable[[Any], None]:
    """Run `main` if Snakemake started this file; otherwise leave it importable.

    Snakemake puts its object into the module it executes. A child that a library spawns executes the file
    too, but under another name, so nothing runs twice. With warm workers one of them runs the job, and this
    process only waits for it: a file that imports its library inside of `main` pays for no import here.
    """
    names = main.__globals__
    if names.get("snakemake") is None or names["__name__"] != "__main__":
        return main
    environment.prepare()
    if worker := os.environ.get("REFUSEU_WARM"):
        from refuseu.job import warm

        if (code := warm.delegate(worker, names["__file__"], names["snakemake"])) is not None:
            sys.exit(code)
    sys.exit(run(main, names["snakemake"]))


def log_to_stderr() -> None:
    """Send what is logged to standard error, with what is hidden in it shown."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Formatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def run(main: Callable[[Any], None], snakemake: Any) -> int:
    """Call `main` with output and logging sent to the rule's log; return the exit code.

    A `UserError` is one line in the log and, said here or by the run itself, on the terminal; any other error leaves
    its traceback in the log.
    """
    progress.terminal = terminal = os.fdopen(os.dup(2), "w")
    if snakemake.log:
        Path(snakemake.log[0]).parent.mkdir(parents=True, exist_ok=True)
        target = os.open(snakemake.log[0], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(target, 1)
        os.dup2(target, 2)
        os.close(target)
    log_to_stderr()
    logging.captureWarnings(True)
    try:
        main(snakemake)
    except UserError as error:
        log.error("%s", error)
        if progress.ONE_BAR not in os.environ:  # else the run itself says so, from the log
            terminal.write(f"{snakemake.rule}: {error}\n")
        return 1
    except Exception:
        log.exception("%s failed", snakemake.rule)
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        progress.terminal = None
        terminal.close()
    return 0
