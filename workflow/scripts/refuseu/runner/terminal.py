"""What a run says: one bar with what runs and what is left, a line per finished stage, a failed job with its cause.

It takes the place of Snakemake's lines on each job, which its own file in ``.snakemake/log`` still holds. No logger
plugin: Snakemake finds one only where it is installed, and those there are show something else (seen with 9.27:
``rich`` 0.5.1 a bar per rule and the whole log of a failed job, ``snkmt`` 0.4.0 nothing, it fills a database).
"""

import logging
import os
import re
import shlex
import shutil
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, TextIO

from refuseu.job import progress
from refuseu.runner import failures, snakemake_internals

SILENCE = 600.0  # seconds after which a line says how far the run is, where there is no terminal
CELLS = 20  # of the bar
# What Snakemake and its plugin for SLURM say that a reader of bars and stages needs not.
CHATTER = (
    "Building DAG", "Using shell", "Provided ", "Rules claiming", "Conda environments: ignored", "Select jobs",
    "Execute ", "Assuming unrestricted", "Shutting down", "Removing output", "Group jobs", "Job rate limit",
    "Touching output", "Cleaning up SLURM", "Singularity containers: ignored", "Exiting because a job",
)  # fmt: skip
SUBMITTED = re.compile(r"Job \d+ has been submitted")
AGAIN = re.compile(r"Trying to restart job ([\w-]+)")


def take(workflow: Any) -> None:
    """Let a run of this workflow speak so."""
    again = os.environ.get("REFUSEU_AGAIN") or shlex.join(["snakemake", *sys.argv[1:]])
    snakemake_internals.take_terminal(
        workflow, lambda stream: Terminal(stream, lambda: snakemake_internals.stages(workflow), again)
    )


@dataclass
class Job:
    """A job that was started or submitted."""

    rule: str
    name: str
    log: list[str]
    began: float = field(default_factory=time.time)


@dataclass
class Stage:
    """All jobs of a rule, or of rules that belong together."""

    total: int
    done: int = 0
    began: float = 0.0


class Terminal(logging.Handler):
    """Snakemake's messages as a person wants them."""

    def __init__(self, stream: TextIO, stages: Callable[[], Mapping[str, str]], command: str) -> None:
        """
        Parameters
        ----------
        stream : where to
        stages : tells the stage of each rule that has work to do
        command : with which to go on
        """
        super().__init__()
        self.stream, self.stages, self.command = stream, stages, command
        self.live = stream.isatty() and os.environ.get("TERM") != "dumb"
        self.stage_of: Mapping[str, str] = {}
        self.counts: dict[str, Stage] = {}
        self.running: dict[int, Job] = {}
        self.failed: dict[int, str] = {}
        self.killed: dict[int | None, str] = {}
        self.causes: set[tuple[str, str]] = set()
        self.told_together: set[int] = set()  # jobs of which it was told with those that they were sent off with
        self.total = self.done = 0
        self.began = self.told = time.time()
        self.full_log, self.stopping, self.drawn = "", False, 0.0
        self.ended = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            event = getattr(record, "event", None)
            if event is None:
                self.said(record, record.getMessage() if record.msg else "")
            elif take := getattr(self, f"on_{event}", None):
                take(record)
        except Exception:
            self.handleError(record)

    # What happens

    def on_run_info(self, record: Any) -> None:
        """It is known what there is to do."""
        self.stage_of = self.stages()
        for rule, count in record.stats.items():
            if stage := self.stage_of.get(rule):
                self.counts.setdefault(stage, Stage(0)).total += count
        self.total = record.stats["total"]
        self.began = time.time()
        os.environ[progress.ONE_BAR] = "1"
        self.write(f"refuseu: {plural(self.total, 'job')} to do in {plural(len(self.counts), 'stage')}")

    def on_job_info(self, record: Any) -> None:
        """A job starts, or is submitted."""
        words = [record.rule_name, *map(str, (record.wildcards or {}).values())]
        job = self.running[record.jobid] = Job(record.rule_name, " ".join(words), list(record.log or []))
        if (stage := self.counts.get(self.stage_of.get(job.rule, ""))) and not stage.began:
            stage.began = job.began
        if self.live and not self.drawn:
            threading.Thread(target=self.tick, daemon=True).start()
        self.draw()

    def on_job_finished(self, record: Any) -> None:
        """A job has ended well, and with it perhaps its stage."""
        self.done += 1
        job = self.running.pop(record.job_id, None)
        self.failed.pop(record.job_id, None)
        name = self.stage_of.get(job.rule, "") if job else ""
        if stage := self.counts.get(name):
            stage.done += 1
            if stage.done == stage.total:
                took = duration(time.time() - stage.began)
                left = "" if self.live else f" ({self.done} of {self.total} done)"
                self.write(f"{self.paint('✓', 32)} {name}: {plural(stage.total, 'job')}, {took}{left}")
        if not self.live and time.time() - self.told > SILENCE:
            self.write(self.state())
        self.draw()

    def on_job_error(self, record: Any) -> None:
        """A job has failed: why. Snakemake says it once more of each that was sent off with others."""
        if record.jobid in self.told_together:
            self.told_together.remove(record.jobid)
            return
        job = self.running.pop(record.jobid, None) or Job(record.rule_name, record.rule_name, [], 0.0)
        killed = self.killed.pop(record.thread, "")
        if self.stopping:
            return
        self.failed[record.jobid] = job.name
        why = failures.explain(list(record.log or []), job.began, killed, executor_says(record.rule_msg))
        new = (job.rule, why.cause) not in self.causes
        self.causes.add((job.rule, why.cause))
        lines = [f"{self.paint('✗', 31)} {job.name}: {why.cause}"]
        if new and why.lines:
            lines += ["  its log ends:", *(f"    {line}" for line in why.lines)]
        self.write("\n".join([*lines, *([f"  log: {why.log}"] if new and why.log else [])]))

    def on_group_error(self, record: Any) -> None:
        """Jobs that were sent off as one have failed: those tell why whose logs do, else the first."""
        logs = list(record.aux_logs or [])
        jobs = [SimpleNamespace(**one | {"log": [*one["log"], *logs]}) for one in record.job_error_info]
        began = min((self.running[one.jobid].began for one in jobs if one.jobid in self.running), default=0.0)
        telling = [one for one in jobs if one.log and failures.cause(failures.end_of(one.log[0], began))]
        for one in telling or jobs[:1]:
            one.thread = record.thread
            self.on_job_error(one)
        for one in jobs:
            self.running.pop(one.jobid, None)
        self.told_together.update(one.jobid for one in jobs)

    def on_error(self, record: Any) -> None:
        """Something went wrong; of a job it is known better from its log."""
        text = record.getMessage()
        if "CalledProcessError" in text:
            self.killed[record.thread] = failures.signal_in(text)
        elif "At least one job did not complete" not in text:
            self.write(text)

    def said(self, record: logging.LogRecord, text: str) -> None:
        """A message that is no event."""
        if again := AGAIN.match(text):
            job = self.failed.pop(int(again[1]), "it") if again[1].isdecimal() else "what was sent off with it"
            self.write(f"  {job} is tried again")
        elif text.startswith("Complete log"):
            self.full_log = os.path.relpath(text.partition(": ")[2])
        elif text.startswith("Elapsed time"):
            self.close_up()
        elif text and not (record.levelno <= logging.ERROR and (text.startswith(CHATTER) or SUBMITTED.match(text))):
            self.stopping |= text.startswith("Terminating processes")
            self.write(text)

    def close_up(self) -> None:
        """The last word: that all is done, or the command to go on."""
        self.ended.set()
        if self.done >= self.total:
            self.write(f"refuseu: done, {plural(self.total, 'job')} in {duration(time.time() - self.began)}")
            return
        failed = f"{plural(len(self.failed), 'job')} failed, " if self.failed else ""
        self.write(
            f"refuseu: {failed}{self.done} of {self.total} are done and kept; go on with `{self.command}`\n"
            f"  all that Snakemake said: {self.full_log}"
        )

    # How it looks

    def state(self) -> str:
        """How far the run is, what runs now, and what is left."""
        now = Counter(self.stage_of.get(job.rule, job.rule) for job in self.running.values())
        running = ", ".join(self.shown_running(stage, n) for stage, n in now.items())
        left = {name: stage.total - stage.done - now[name] for name, stage in self.counts.items()}
        waiting = [f"{name} {n}" for name, n in left.items() if n > 0]
        more = f", {len(waiting) - 3} more stages" if len(waiting) > 3 else ""
        parts = [f"{self.done} of {self.total} jobs", duration(time.time() - self.began)]
        parts += [f"now: {running}"] if running else []
        parts += [f"left: {', '.join(waiting[:3])}{more}"] if waiting else []
        return " | ".join(parts)

    def shown_running(self, stage: str, count: int) -> str:
        """A stage with how many of its jobs run; of a single one its name, and how far it says that it is."""
        if count > 1:
            return f"{stage} ×{count}"
        [job] = (job for job in self.running.values() if self.stage_of.get(job.rule, job.rule) == stage)
        far = failures.progress(job.log[0], job.began) if job.log else ""
        return f"{job.name} ({far})" if far else job.name

    def write(self, text: str) -> None:
        """Lines that stay, above the bar."""
        self.stream.write(f"{self.blank()}{text}\n")
        self.stream.flush()
        self.told = time.time()
        self.drawn = min(self.drawn, self.told - 1) if self.drawn else 0.0
        self.draw()

    def draw(self) -> None:
        """The bar, ten times a second at most."""
        now = time.time()
        if not self.live or not self.running or self.ended.is_set() or now - self.drawn < 0.1:
            return
        self.drawn = now
        full = round(CELLS * self.done / self.total) if self.total else 0
        bar = f"{'━' * full}{'╌' * (CELLS - full)} {self.state()}"
        width = shutil.get_terminal_size().columns
        self.stream.write(f"{self.blank()}{bar if len(bar) < width else bar[: width - 2] + '…'}")
        self.stream.flush()

    def tick(self) -> None:
        """Let the bar go on while nothing ends."""
        while not self.ended.wait(1.0):
            with self.lock:  # type: ignore[union-attr]  # a handler always has one
                self.draw()

    def blank(self) -> str:
        return "\r\x1b[K" if self.live else ""

    def paint(self, sign: str, color: int) -> str:
        return f"\x1b[{color}m{sign}\x1b[0m" if self.live and "NO_COLOR" not in os.environ else sign

    def close(self) -> None:
        self.ended.set()
        if self.live and self.drawn:
            self.stream.write(self.blank())
        super().close()


def executor_says(message: str | None) -> str:
    """What the executor knows of a failure, without what it says of every one."""
    return (message or "").partition("For further error details")[0].strip()


def plural(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """``48 s``, ``7 min 12 s``, ``3 h 5 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
