"""Jobs that an earlier run left with SLURM: nothing may run twice at once."""

import os
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

from refuseu.errors import UserError
from refuseu.runner.snakemake_internals import slurm_comment, unknown_comment


def check_left_over(jobs: Iterable[Any]) -> None:
    """Stop if one of these jobs waits or runs already.

    A killed main process leaves its SLURM jobs behind, and a new one knows nothing of them.

    Parameters
    ----------
    jobs : Snakemake's jobs that are about to be submitted

    Raises
    ------
    UserError
        If SLURM holds one of them for this folder, or cannot say. That the plugin wrote its jobs in an unknown way is a
        line on the terminal.
    """
    try:
        queue = subprocess.run(
            ["squeue", "--me", "--noheader", "--format=%j|%Z|%k"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        said = (getattr(error, "stderr", "") or str(error)).strip()
        raise UserError(
            f"squeue could not say what is in the queue ({said}); start where SLURM's commands work"
        ) from None
    steps = {slurm_comment(job) for job in jobs}
    rows = [line.split("|", 2) for line in queue.splitlines()]
    here = [(run, step.strip()) for run, folder, step in rows if folder == os.getcwd()]
    left = [run for run, step in here if step in steps]
    if left:
        raise UserError(
            f"{len(left)} of the jobs to run are with SLURM already, from a run that did not end them; cancel them "
            f"with `scancel --name {','.join(sorted(set(left)))}`, then start again"
        )
    if unknown := sorted({run for run, step in here if unknown_comment(run, step)}):
        sys.stderr.write(
            f"refuseu: SLURM holds jobs for this folder that do not name their step ({', '.join(unknown)}), so it "
            "could not be checked whether they are among the jobs to run; look with squeue --me before they run twice\n"
        )
