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
        elif job.rule.name == "load_dataset":
            check_dataset(study.config["dataset"])
    rules, config = {job.rule.name for job in jobs}, study.config
    if config["dataset"]["translation"]["backend"] == "deepl" and rules & {
        "translate_seeds",
        "translate_prompts",
    }:
        require("DEEPL_AUTH_KEY", "translation with DeepL")
    for job in jobs:
        if job.resources.get("api") and not job.rule.name.startswith("translate"):
            model = study.asked(job.rule.name, job.wildcards)
            if not model.local_endpoint:
                require("OPENAI_API_KEY", f"{job.rule.name} by {model.model!r}, which is behind an API,")
    if config["warm_workers"] and workflow.local_exec:
        lingua = config["language_identification"]
        warm.start([*study.languages, *lingua["neighbours"]] if lingua["backend"] == "lingua" else [])


def check_benchmark(row: Benchmark) -> None:
    made_here = row.repository.startswith("results/")
    if row.revision == "local" and not made_here and not Path(row.repository).is_dir():
        stop(f"benchmark {row.benchmark!r} needs its data in {row.repository}; put it there, see config/README.md")


def check_dataset(dataset: dict[str, Any]) -> None:
    if dataset["revision"] == "local" and not Path(dataset["repository"]).is_dir():
        stop(f"dataset.repository names the folder {dataset['repository']}, which does not exist; put the data there")


def has_gpu() -> bool:
    return os.path.exists("/dev/nvidia0") or shutil.which("nvidia-smi") is not None


def require(variable: str, purpose: str) -> None:
    if not os.environ.get(variable):
        stop(f"{purpose} needs a key; set {variable} in the environment, or change the config (see config/README.md)")


def stop(sentence: str) -> None:
    sys.exit(f"refuseu: {sentence}")
