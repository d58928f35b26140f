"""A function in several processes, as ``accelerate launch`` starts them: one per GPU."""

import os
import pickle
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from refuseu.errors import UserError
from refuseu.job.start import log_to_stderr

Result = TypeVar("Result")
CALL, RESULT, FAILED = "call", "result", "failed"


def launch(function: Callable[..., Result], config: str | None, *arguments: Any) -> Result:
    """Call a function in so many processes as the accelerate config says; what the first of them returned.

    Parameters
    ----------
    function : of a module
    config : a file for ``accelerate launch``; None calls it in this process
    arguments : of the function, the same in every process

    Raises
    ------
    UserError
        If a process fails: its own if it is one, else a sentence that names the process.
    """
    if config is None:
        return function(*arguments)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / CALL).write_bytes(pickle.dumps((function, arguments)))
        # Port 0 is a free one: two jobs may share a machine.
        launcher = ["accelerate.commands.launch", "--config_file", config, "--main_process_port", "0"]
        paths = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
        ended = subprocess.run(
            [sys.executable, "-m", *launcher, "--module", "refuseu.job.launch", folder],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)}, check=False,
        )  # fmt: skip
        if ended.returncode or not (place / RESULT).exists():
            # Whoever waits for a failed process fails, too, and later.
            failures = sorted(place.glob(f"{FAILED}-*"), key=lambda file: file.stat().st_mtime_ns)
            said = [file.read_text(encoding="utf-8") for file in failures]
            said.append(f"a process of {config} was killed; if the log does not say why, look at its memory")
            raise UserError(said[0])
        result: Result = pickle.loads((place / RESULT).read_bytes())
        return result


def work(folder: str) -> int:
    """One process's part; the exit code."""
    rank, place = os.environ["RANK"], Path(folder)
    function, arguments = pickle.loads((place / CALL).read_bytes())
    try:
        result = function(*arguments)
    except Exception as error:
        traceback.print_exc()
        named = f"process {rank} failed with {type(error).__name__}, see the log: {str(error).partition(os.linesep)[0]}"
        unfinished = place / f"unfinished-{rank}"
        unfinished.write_text(str(error) if isinstance(error, UserError) else named, encoding="utf-8")
        unfinished.rename(place / f"{FAILED}-{rank}")
        return 1
    if rank == "0":
        (place / RESULT).write_bytes(pickle.dumps(result))
    return 0


if __name__ == "__main__":
    log_to_stderr()
    sys.exit(work(sys.argv[1]))
