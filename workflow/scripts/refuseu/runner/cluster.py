"""Jobs that an earlier run left with SLURM: nothing may run twice at once."""

import os
import subprocess
from collections.abc import Iterable
from typing import Any

from refuseu.errors import UserError


def check_left_over(jobs: Iterable[Any]) -> None:
    """Stop if one of these jobs waits or runs already.

    A killed main process leaves its SLURM jobs behind, and a new one knows nothing of them.

    Parameters
    ----------
    jobs : Snakemake's jobs that are about to be submitted

    Raises
    ------
    UserError
        If SLURM holds one of them for this folder, or cannot say.
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
    steps = {comment(job) for job in jobs}
    rows = [line.split("|", 2) for line in queue.splitlines()]
    left = [run for run, folder, step in rows if folder == os.getcwd() and step.strip() in steps]
    if left:
        raise UserError(
            f"{len(left)} of the jobs to run are with SLURM already, from a run that did not end them; cancel them "
            f"with `scancel --name {','.join(sorted(set(left)))}`, then start again"
        )


def comment(job: Any) -> str:
    """What the SLURM plugin (2.8) writes into ``--comment`` of a job."""
    wildcards = "_".join(job.wildcards).replace("/", "_")
    return f"rule_{job.rule.name}_wildcards_{wildcards}" if wildcards else f"rule_{job.rule.name}"
