"""What is checked before the first job: can this machine do what was asked?"""

import os
import shutil
import signal
import stat
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from refuseu.dataset.feasibility import wanting
from refuseu.dataset.seeds import read_seeds
from refuseu.errors import UserError
from refuseu.evaluation.benchmarks import LOADERS
from refuseu.job import environment, warm
from refuseu.runner import cluster, locked, snakemake_internals
from refuseu.runner.chat_templates import check_chat_templates
from refuseu.study.rows import Benchmark
from refuseu.study.study import Study
from refuseu.study.tables import needed

MODES = {"owner": 0o700, "group": 0o750, "everyone": 0o755}  # who may enter the folder of the results


def start(workflow: Any, study: Study) -> None:
    """Stop with one sentence if a job to run needs a GPU, a key or data that is not there, or is with SLURM already.

    Called once by the main process, when it is known which jobs run; never in a dry run. Adopting results
    (``--touch``) runs no job.
    """
    locked.note()
    snakemake_internals.hush()
    snakemake_internals.unthrottle(workflow)
    keep_to(study.config["results_for"], Path("results", study.name))
    if not (jobs := snakemake_internals.jobs_to_run(workflow)):
        return
    here = snakemake_internals.runs_here(workflow)
    if here and not has_gpu():
        for job in jobs:
            if job.resources.get("gpu"):
                stop(
                    f"{job.rule.name} needs {job.resources.gpu} GPU(s) and this machine has none; run the study on "
                    "a cluster with --profile slurm, or the miniature with --profile miniature"
                )
    for job in jobs:
        if snakemake_internals.step(job.rule) == "load_benchmark":
            row = study.benchmarks[job.wildcards.benchmark]
            check_benchmark(row, needed(study.tables[row.benchmark], row) if row.source == "table" else None)
        elif snakemake_internals.step(job.rule) == "load_dataset":
            check_dataset(study.config["dataset"])
    try:
        check_chat_templates(jobs, study)
    except UserError as error:
        stop(str(error))
    rules, config = {snakemake_internals.step(job.rule) for job in jobs}, study.config
    if config["dataset"]["translation"]["backend"] == "deepl" and rules & {
        "translate_seeds",
        "translate_prompts",
    }:
        require("DEEPL_AUTH_KEY", "translation with DeepL")
    for job in jobs:
        step = snakemake_internals.step(job.rule)
        if job.resources.get("api") and not step.startswith("translate"):
            model = study.asked(step, job.wildcards)
            if not model.local_endpoint:
                require("OPENAI_API_KEY", f"{job.rule.name} by {model.model!r}, which is behind an API,")
    if rules & {"translate_seeds", "generate_prompts"}:
        check_seeds(config["dataset"])
    if snakemake_internals.on_slurm(workflow):
        try:
            cluster.check_left_over(jobs)
        except UserError as error:
            stop(str(error))
    check_budget(study, {str(job.output[0]) for job in jobs if job.output}, here)
    if config["warm_workers"] and here and rules - {"plan", "journal_report"}:
        lingua, markers = config["language_identification"], config["outcomes"]["refusal_markers"]
        known = [*study.languages, *lingua["neighbours"]] if lingua["backend"] == "lingua" else []
        worker = warm.start(markers, known)
        snakemake_internals.hand_over_scripts(lambda file: warm.delegate(worker, file))
        watch_interrupts()


def keep_to(readers: str, folder: Path) -> None:
    """Open the folder of a study's results to these readers alone, whatever lies in it and whichever job writes it.

    Not by a umask, which would also close the caches that people share and leave open what earlier runs wrote.

    Parameters
    ----------
    readers : one of `MODES`
    """
    folder.mkdir(parents=True, exist_ok=True)
    now = stat.S_IMODE(folder.stat().st_mode)
    wanted = now & ~0o777 | MODES[readers]
    try:
        if now != wanted:
            folder.chmod(wanted)
    except PermissionError:
        pass
    if stat.S_IMODE(folder.stat().st_mode) & 0o777 & ~MODES[readers]:
        sys.stderr.write(
            f"refuseu: {folder} cannot be kept to its {readers}, and others may read harmful texts in it; ask whoever "
            "owns the folder, or move the checkout to a disk with file modes\n"
        )


def watch_interrupts() -> None:
    """End the workers' jobs with this process; in another thread than the main one nothing can be watched."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, interrupt)


def interrupt(number: int, frame: Any) -> None:
    """End the workers' jobs, which no terminal interrupts, and then as usual."""
    warm.hang_up()
    signal.default_int_handler(number, frame)


def check_benchmark(row: Benchmark, files: list[str] | None = None) -> None:
    """Stop if a folder has none of the `files`, or those that its source has."""
    folder, loader = Path(row.repository), LOADERS[row.source]
    wanted = files or loader.files
    made_here = row.repository.startswith("results/")
    if row.revision == "local" and not made_here and not any(file for kind in wanted for file in folder.glob(kind)):
        kinds = " or ".join(wanted)
        stop(f"benchmark {row.benchmark!r} needs {kinds} in {folder}; put the data there, see {loader.page}")
    if row.source == "rtp_lx" and (folder / "RTP-LX.zip").is_file():
        unlocked = [folder / f"RTP_LX_{code.upper()}.json" for code in row.languages]
        if not all(file.is_file() for file in unlocked):
            require("RTP_LX_PASSWORD", f"the locked archive in {folder}", os.environ.get)


def check_dataset(dataset: dict[str, Any]) -> None:
    if dataset["revision"] == "local" and not Path(dataset["repository"]).is_dir():
        stop(f"dataset.repository names the folder {dataset['repository']}, which does not exist; put the data there")


def check_seeds(dataset: dict[str, Any]) -> None:
    """Stop if seeds are broken; say where so many prompts would not fill the test at the paper's yield."""
    try:
        seeds = read_seeds(dataset["seeds"], dataset["seed_language"], dataset["instructions"])
    except UserError as error:
        stop(str(error))
    if dataset["split"]["if_short"] == "stop" and (missing := wanting(seeds, dataset)):
        sys.stderr.write(f"refuseu: {missing}\n")


def check_budget(study: Study, outputs: set[str], here: bool) -> None:
    """Stop if the jobs to run would cost more than the budget; say what they cost where others pay for the time.

    Parameters
    ----------
    outputs : first outputs of the jobs to run
    here : whether the jobs run on this machine
    """
    budget = {k: bound for k, bound in study.config["budget"].items() if bound is not None}
    if here and not budget:
        return
    from refuseu.costs import plan

    total = plan.Plan(study, remaining=outputs).total
    if total["jobs"] == total["done"]:
        return
    if more := plan.exceeded(total, budget):
        stop(f"this run is planned to take {more}; raise or remove the bound, or see in target plan what to leave out")
    if not here:
        sys.stderr.write(f"refuseu: this run has {plan.sentence(total)}; target plan shows how that was reckoned\n")


def has_gpu() -> bool:
    return os.path.exists("/dev/nvidia0") or shutil.which("nvidia-smi") is not None


def require(variable: str, purpose: str, read: Callable[[str], str | None] = environment.key) -> None:
    try:
        found = read(variable)
    except UserError as error:
        stop(str(error))
    if not found:
        cure = f"set {variable} in the environment, or change the config (see docs/howto/paper_study.md)"
        stop(f"{purpose} needs a key; {cure}")


def stop(sentence: str) -> NoReturn:
    sys.exit(f"refuseu: {sentence}")
