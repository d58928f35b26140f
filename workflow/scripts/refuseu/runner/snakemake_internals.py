"""All of Snakemake that is not its documented interface (as in 9.27, and 2.8 of its SLURM plugin), in one place.

A version that has it otherwise costs speed or a check, and says so; the study runs all the same.
"""

import json
import logging
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TextIO, TypeVar

import yaml

SCRIPTS = Path(__file__).resolve().parents[2]
Found = TypeVar("Found")
EDITS = "an edit of code reruns nothing by itself; name what must be made anew with --forcerun"
ALONE = "each job loads its model for itself"
SENT = "REFUSEU_SENT_TOGETHER"  # rule and wildcards of the jobs that a node got as one
RUN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # how the SLURM plugin names the jobs of a run


def guarded(ask: Callable[[], Found], otherwise: Found, lost: str) -> Found:
    """What Snakemake says; if this version of it cannot be asked so, another value and a line on what is lost."""
    try:
        return ask()
    except (AssertionError, AttributeError, ImportError, TypeError, ValueError) as error:
        sys.stderr.write(f"refuseu: unknown version of Snakemake ({error}): {lost}\n")
        return otherwise


def hush() -> None:
    """Leave out what Snakemake says before each job; its count of finished steps says as much."""
    chatter = ("Select jobs to execute", "Execute ")
    logging.getLogger("snakemake.logging").addFilter(lambda record: not str(record.msg).startswith(chatter))


def take_terminal(workflow: Any, make: Callable[[TextIO], logging.Handler]) -> None:
    """Let another handler write to the terminal of a run, unless the user has chosen how Snakemake talks.

    Chosen is it with ``--verbose``, ``--quiet all`` or a logger plugin; and a dry run is left to say all it knows.
    """

    def replace() -> None:
        settings = workflow.output_settings
        chosen = settings.dryrun or settings.verbose or any(str(kind) == "all" for kind in settings.quiet or ())
        if chosen or workflow.remote_exec or workflow.subprocess_exec:
            return
        logger = logging.getLogger("snakemake.logging")
        for handler in list(logger.handlers):
            if isinstance(handler, logging.StreamHandler) and handler.name == "DefaultStreamHandler":
                logger.removeHandler(handler)
                logger.addHandler(make(handler.stream))

    guarded(replace, None, "the terminal shows Snakemake's own lines")


def told(workflow: Any) -> dict[str, Any]:
    """What ``--config`` says, as YAML has it: Snakemake takes every value inside a mapping or list for text."""

    def typed(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: typed(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [typed(inner) for inner in value]
        return yaml.safe_load(value) if isinstance(value, str) else value

    return guarded(
        lambda: dict(typed(workflow.config_settings.config or {})), {}, "--config takes no numbers in mappings"
    )


def stages(workflow: Any) -> dict[str, str]:
    """The stage of each rule with a script, ours or not: its name, or what tables and figures have in common."""
    kinds = {"table": "tables", "figure": "figures"}
    with_script: list[Any] = guarded(
        lambda: [rule for rule in workflow.rules if rule.script], [], "no line says that a stage is finished"
    )
    return {rule.name: kinds.get(Path(rule.script).stem, rule.name) for rule in with_script}


def drop_stray_warnings() -> None:
    """Leave out what Python says of a coroutine for sizes of inputs, which a dry run makes and never awaits."""
    warnings.filterwarnings("ignore", r"coroutine '.*sizes' was never awaited", RuntimeWarning)


def unthrottle(workflow: Any) -> None:
    """Take away Snakemake's limit of 100 job starts per second, unless another was asked for.

    With a limit each round of scheduling starts a timer that starts another round: after some hundred jobs, rounds
    take most of a core.
    """

    def lift() -> None:
        limit = workflow.scheduler.job_rate_limiter
        if limit and (limit.max_jobs, limit.timespan) == (100, 1):
            workflow.scheduler.job_rate_limiter = None

    guarded(lift, None, "thousands of short jobs are started slowly")


def explain_lock(sentence: Callable[[], str]) -> None:
    """Where results are locked, say this and not that it may be a kill signal or a power loss."""

    def replace() -> None:
        from snakemake.exceptions import LockException, WorkflowError

        LockException.__init__ = lambda self: WorkflowError.__init__(self, sentence())

    guarded(replace, None, "after a kill, Snakemake says in its own words how its lock is removed")


def work_rules(workflow: Any) -> list[Any]:
    """Rules with a script of ours: not those of a workflow that has this one as a module."""

    def ask() -> list[Any]:
        with_script = [rule for rule in workflow.rules if rule.script]
        return [r for r in with_script if (Path(str(r.basedir)) / r.script).resolve().parent == SCRIPTS]

    return guarded(ask, [], EDITS)


def step(rule: Any) -> str:
    """The script of a rule, whatever a workflow calls the rule that has this one as a module; else its name."""
    return Path(rule.script).stem if rule.script else str(rule.name)


def start_module(workflow: Any, start: Callable[[], None]) -> None:
    """As a module: before the first job run this too, since Snakemake takes ``onstart`` from the main workflow only.

    A main workflow whose own ``onstart`` stands below its ``use rule`` is obeyed, and this then left out.
    """

    def add() -> None:
        if workflow.modifier.is_module:
            own = workflow._onstart

            def both(log: str) -> None:
                own(log)
                start()

            workflow._onstart = both

    guarded(add, None, "nothing is checked before the first job")


def set_param(rule: Any, name: str, value: object) -> None:
    """Give a rule one more param."""
    guarded(lambda: rule.set_params(**{name: value}), None, EDITS)


def set_benchmark(workflow: Any, rule: Any, folder: str) -> None:
    """Let a rule that takes the time of a cluster measure its jobs: ``folder/rule/wildcards.tsv``."""

    def measure() -> None:
        if rule.name not in workflow._localrules:
            names = re.findall(r"\{\w+", str(rule.output[0]))
            places = [f"{name}}}" for name in dict.fromkeys(names)] or [rule.name]
            rule.benchmark_modifier = rule.output_modifier
            rule.benchmark = f"{folder}/{rule.name}/{'/'.join(places)}.tsv"

    guarded(measure, None, f"{rule.name} is not measured")


def jobs_to_run(workflow: Any) -> list[Any]:
    """Jobs that are about to run in this process or be sent off by it; none when results are only adopted."""

    def ask() -> list[Any]:
        if workflow.touch or workflow.remote_exec or workflow.subprocess_exec:
            return []
        return list(workflow.dag.needrun_jobs())

    return guarded(ask, [], "what the jobs need was not checked, nor the budget, and no worker is warm")


def others_to_run(workflow: Any, rule: str, own: Any) -> list[Any]:
    """Jobs of a rule, but for that with these wildcards, that this process is about to run or has sent off.

    None before it is known which jobs run, and in a dry run. Left out are those with an input that lies there from
    before and will be made anew.
    """

    def to_do(job: Any) -> bool:
        return bool(workflow.dag.needrun(job) and not workflow.dag.finished(job))

    def stale(job: Any) -> bool:
        makers = workflow.dag.dependencies[job].items()
        return any(os.path.exists(file) for maker, files in makers if to_do(maker) for file in files)

    def ask() -> list[Any]:
        if workflow.dryrun or workflow.touch or workflow.scheduler is None:
            return []
        jobs = (job for job in workflow.dag.needrun_jobs() if job.rule.name == rule)
        return [job for job in jobs if dict(job.wildcards.items()) != dict(own.items()) and not stale(job)]

    return guarded(ask, [], ALONE)


def one_after_another(workflow: Any, group: str) -> str:
    """A group of jobs that need not depend on each other; ``start`` in a profile says how many at most.

    A node gets them as one, but starts a process for each that knows no other: these are told of all, in `SENT`.
    """

    def tell() -> None:
        if len(jobs := workflow.dag_settings.target_jobs) > 1:
            os.environ[SENT] = json.dumps([[job.rulename, dict(job.wildcards_dict)] for job in jobs])

    guarded(lambda: workflow.parent_groupids.setdefault(group, "start"), None, "each job is one of the cluster's")
    guarded(tell, None, ALONE)
    return group


def sent_together(workflow: Any, rule: str, own: Any) -> list[Any]:
    """Jobs of a rule that were sent to a node as one with that with these wildcards, as far as they are needed here.

    Returns
    -------
    Of each its ``wildcards``, ``input`` and ``output``.
    """

    def ask() -> list[Any]:
        told = [wildcards for name, wildcards in json.loads(os.environ.get(SENT, "[]")) if name == rule]
        if not workflow.remote_exec or dict(own.items()) not in told:
            return []
        return [job(wildcards) for wildcards in told if wildcards != dict(own.items())]

    def job(told: dict[str, str]) -> Any:
        known = workflow.get_rule(rule)
        read, made = known.expand_input(told)[0], known.expand_output(told)[0]
        return SimpleNamespace(wildcards=told, input=read, output=made)

    return guarded(ask, [], ALONE)


def runs_here(workflow: Any) -> bool:
    """Whether jobs run on this machine."""
    return bool(guarded(lambda: workflow.local_exec, False, "whether this machine has a GPU was not checked"))


def on_slurm(workflow: Any) -> bool:
    """Whether jobs go to SLURM."""
    lost = "whether jobs of an earlier run are with SLURM was not checked"
    return guarded(lambda: bool(workflow.executor_plugin.name == "slurm"), False, lost)


def slurm_comment(job: Any) -> str:
    """What the SLURM plugin writes into ``--comment`` of a job."""
    if group := getattr(job, "group", None):
        return f"rule_{group}_{job.rule.name}"
    wildcards = "_".join(job.wildcards).replace("/", "_")
    return f"rule_{job.rule.name}_wildcards_{wildcards}" if wildcards else f"rule_{job.rule.name}"


def unknown_comment(name: str, comment: str) -> bool:
    """Whether a job of SLURM is of some run of Snakemake, but does not say in the known way of which step."""
    return bool(RUN.fullmatch(name)) and not comment.startswith("rule_")


def hand_over_scripts(delegate: Callable[[str], int | None]) -> None:
    """Let another process run the jobs' scripts: a python that only passes one on takes a tenth of a second.

    Parameters
    ----------
    delegate : runs a file and returns its exit code, or None if it could not be run
    """

    def replace() -> None:
        from snakemake.script import PythonScript

        cold = PythonScript.execute_script

        def execute_script(self: Any, fname: str, edit: bool = False) -> None:
            code = None if edit else delegate(os.path.abspath(fname))
            if code is None:
                cold(self, fname, edit)
            elif code:
                raise subprocess.CalledProcessError(code, f"{sys.executable} {fname}")

        PythonScript.execute_script = execute_script

    guarded(replace, None, "each job starts a python of its own")
