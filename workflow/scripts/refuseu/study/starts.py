"""Starts of models: which jobs a cluster gets as one, so that their model is loaded once."""

from functools import cached_property
from typing import Any

from refuseu.study.benchmarks import Wildcards
from refuseu.study.study import Study

# Step → the wildcard that names who answers; none where it is always the same.
TOGETHER = {"generate": "model", "judge": "judge", "judge_fluency": ""}


class Starts:
    """The starts of a study's models."""

    def __init__(self, study: Study):
        self.study = study

    def of(self, step: str, wildcards: Wildcards) -> str | None:
        """The start that a job is part of; None where none is shared, or where no GPU waits while a model is loaded.

        A model answers all benchmarks that are asked for. A judge labels so many evaluations as the config says,
        neighbours in the order of the sheets: it begins when all of these have been answered.
        """
        if step not in TOGETHER or not self.study.asked(step, wildcards).gpus_for(step):
            return None
        if step == "generate":
            return f"generate_{wildcards['model']}"
        number = self._places[step].get((wildcards["model"], wildcards["benchmark"]))
        if number is None:  # no evaluation of the study
            return None
        part = number // self.study.config["judging"]["together"]
        return "_".join(filter(None, [step, wildcards[TOGETHER[step]] if TOGETHER[step] else "", str(part)]))

    @cached_property
    def _places(self) -> dict[str, dict[tuple[str, str], int]]:
        kinds = {"judge": ("harmful", "benign"), "judge_fluency": ("fluency",)}
        return {step: {pair: n for n, pair in enumerate(self.study.evaluations(*own))} for step, own in kinds.items()}

    def alike(self, step: str, own: Wildcards, other: Wildcards) -> bool:
        """Whether two jobs of a step ask the same model."""
        return not TOGETHER[step] or own[TOGETHER[step]] == other[TOGETHER[step]]

    def seen(self, job: Any, params: dict[str, Any]) -> dict[str, Any]:
        """What another job's process has to know to ask for a job: what it reads, where its answers go.

        Parameters
        ----------
        job : Snakemake's
        params : those in which it differs
        """
        given = {n: str(files) if isinstance(files, str) else [*map(str, files)] for n, files in job.input.items()}
        return {"read": [*map(str, job.input)], "input": given, "output": [*map(str, job.output)], "params": params}
