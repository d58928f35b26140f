"""Results that an earlier run has locked: whether that still runs, and the command that frees them."""

import json
import os
import shlex
import sys
from dataclasses import asdict
from pathlib import Path

from refuseu.job import lease
from refuseu.records import write_text
from refuseu.runner import snakemake_internals

RUNS = Path(".snakemake/runs")  # one note per run


def note() -> None:
    """Note that this process runs, for whoever finds the results locked; forget those that run no more."""
    for file in RUNS.glob("*.json"):
        if not (holder := lease.read(file)) or holder.gone:
            file.unlink(missing_ok=True)
    me = lease.myself()
    write_text(RUNS / f"{me.host}-{me.pid}.json", json.dumps(asdict(me)))


def explain() -> None:
    """Let Snakemake say the sentence below where it finds the results locked."""
    snakemake_internals.explain_lock(sentence)


def sentence() -> str:
    """What is known of who has locked the results, and what to do."""
    made = "REFUSEU_AGAIN" in os.environ  # by make, whose environment the user's shell has not
    program = os.path.relpath(sys.argv[0]) if made else "snakemake"
    cure = f"free them with `{shlex.join([program, *sys.argv[1:], '--unlock'])}`, then start again"
    known = [holder for file in sorted(RUNS.glob("*.json")) if (holder := lease.read(file))]
    if known and all(holder.gone for holder in known):
        return f"refuseu: the results are locked by a run that is gone ({known[-1]}), killed it seems; {cure}"
    by = " and ".join(str(holder) for holder in known if not holder.gone) or "another run"
    return f"refuseu: the results are locked by {by}; wait until it has ended, or, if it was killed, {cure}"
