"""What is checked before the first job: can this machine do what was asked?"""

import os
import shutil
import sys
from pathlib import Path
from typing import Any

from refuseu import warm
from refuseu.study import Benchmark, Study


def start(workflow: Any, study: Study) -> None:
    """Stop with one sentence if a job to run needs a GPU, a key or data that is not there.

    Called once by the main process, when it is known which jobs run; never in a dry run.
    """
    if workflow.remote_exec or workflow.subprocess_exec:
        return
    jobs = list(workflow.dag.needrun_jobs())
    if workflow.local_exec and not has_gpu():
        for job in jobs:
            if job.resources.get("gpu"):
                stop(
                    f"{job.rule.name} needs {job.resources.gpu} GPU(s) and this machine has none; run the study on "
                    "a cluster with --profile slurm, or the miniature with --profile miniature"
                )
    for job in jobs:
        if job.rule.name == "load_benchmark":
            check_benchmark(study.benchmarks[job.wildcards.benchmark])
    rules, config = {job.rule.name for job in jobs}, study.config
    if config["dataset"]["translation"]["backend"] == "deepl" and rules & {
        "translate_seeds",
        "translate_prompts",
    }:
        require("DEEPL_AUTH_KEY", "translation with DeepL")
    for job in jobs:
        if job.resources.get("api") and not job.rule.name.startswith("translate"):
            judge = study.judge_of(job.rule.name, job.wildcards)
            if judge.backend == "openai" and not judge.local_endpoint:
                require("OPENAI_API_KEY", f"{job.rule.name} by {judge.model!r}, which is behind an API,")
    if config["warm_workers"] and workflow.local_exec:
        lingua = config["language_identification"]
        warm.start([*study.languages, *lingua["neighbours"]] if lingua["backend"] == "lingua" else [])


def check_benchmark(row: Benchmark) -> None:
    made_here = row.repository.startswith("results/")
    if row.revision == "local" and not made_here and not Path(row.repository).is_dir():
        stop(f"benchmark {row.benchmark!r} needs its data in {row.repository}; put it there, see config/README.md")


def has_gpu() -> bool:
    return os.path.exists("/dev/nvidia0") or shutil.which("nvidia-smi") is not None


def require(variable: str, purpose: str) -> None:
    if not os.environ.get(variable):
        stop(f"{purpose} needs a key; set {variable} in the environment, or change the config (see config/README.md)")


def stop(sentence: str) -> None:
    sys.exit(f"refuseu: {sentence}")
