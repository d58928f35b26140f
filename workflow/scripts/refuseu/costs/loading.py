"""How often models are loaded, and how long GPUs wait for it."""

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from refuseu.costs.workload import Job
from refuseu.records import Record
from refuseu.study.starts import Starts
from refuseu.study.study import Study

WILDCARDS = {
    "generate": ("model", "benchmark"),
    "judge": ("judge", "model", "benchmark"),
    "judge_fluency": ("model", "benchmark"),
}
LOADED = ("generate", "read", "train")  # tasks
# Times that the weights pass through the disk: a base is read, written with its adapter merged, and read again.
PASSES = {False: 1, True: 3}


class Loading:
    """The loads of models in the jobs that are to run.

    Parameters
    ----------
    study : the study
    jobs : those that are to run
    value : an assumption of the plan by what it is about; None if it is not known
    """

    def __init__(self, study: Study, jobs: Iterable[Job], value: Callable[[str, str], float | None]):
        self.study, self.value, self.starts = study, value, Starts(study)
        self.sizes = Counter(filter(None, map(self.start, jobs)))

    def start(self, job: Job) -> str | None:
        """The start that a job shares with others where they are sent off together."""
        if job.stage not in WILDCARDS:
            return None
        return self.starts.of(job.stage, dict(zip(WILDCARDS[job.stage], named(job), strict=True)))

    def row(self, job: Job) -> Record:
        """A job's part in the load of its start and in the GPU-hours it takes, and what one of its own takes."""
        if job.model is None or job.task not in LOADED or not job.gpus:
            return {}
        part, hours = 1 / self.sizes.get(self.start(job) or "", 1), self.hours(job)
        found: Record = {"loads": part, "loads_apart": 1, "loading_unknown": int(hours is None)}
        return found | {"loading": (hours or 0) * part, "loading_apart": hours or 0}

    def hours(self, job: Job) -> float | None:
        """GPU-hours of one load."""
        assert job.model
        size = self.value(job.model.repository, "weights")
        pace = self.value("disk", "pace")
        if size is None or not pace:
            return None
        return PASSES[self.merged(job)] * size / pace / 3600 * job.gpus

    def merged(self, job: Job) -> bool:
        """Whether a job merges an adapter into a copy of its base."""
        if job.stage != "generate" or not job.model or job.model.backend != "vllm":
            return False
        model = named(job)[0]
        adapter = model in self.study.variants and model not in self.study.trained_fully
        return adapter and bool(self.study.config["generation"]["adapters"] == "merged")

    def copy(self, jobs: Iterable[Job]) -> float:
        """GB of the largest copy with an adapter merged, 0 if there is none."""
        sizes = (self.value(job.model.repository, "weights") or 0 for job in jobs if job.model and self.merged(job))
        return max(sizes, default=0.0)


def named(job: Job) -> list[str]:
    """The wildcards of a job in the order of its output's folders."""
    return list(Path(job.output).with_suffix("").parts[3:])
