"""What a study would still cost before anything is spent: tokens, characters, GPU-hours, money, disk.

What nobody measured or published stays unknown: such jobs are counted, and a total says of how many it
knows nothing.
"""

import json
import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from statistics import median

from refuseu.costs import spending
from refuseu.costs.loading import Loading
from refuseu.costs.spending import Prices, figure
from refuseu.costs.workload import Job, Workload, epochs
from refuseu.dataset.deepl import TEXTS_PER_REQUEST
from refuseu.job.paths import translations_path
from refuseu.markdown import pipe_table
from refuseu.records import Record
from refuseu.study.study import Study

FOLDER = Path("resources/plan")
SUMMED = (
    "jobs", "done", "counted", "requests", "held", "tokens_in", "tokens_out", "characters", "api_calls",
    "gpu_hours", "gpu_hours_unknown", "money", "money_unknown", "disk_gb", "disk_gb_unknown",
    "loads", "loads_apart", "loading", "loading_apart", "loading_unknown",
)  # fmt: skip
COLUMNS = ("stage", "model", *SUMMED, "currency")
NOTE = """\
Counted are the jobs that ask a model or a translator, train, or download weights; the others take minutes of a CPU. A
job whose output is there is done and costs nothing here; whether Snakemake would make it again, `-n` says. *Held* are
answers that the journals have already; they count if they came from the same model. Where no file is there yet, the
assumptions below hold: answers at their longest, filters that let everything pass; what a pilot has measured of the
filters goes before them. GPU-hours come from the seconds that
this study measured at the same step with the same model, else from the throughputs below. What neither knows is not
guessed: a sum says of how many jobs it knows nothing. Batch prices, the loading of models and failed attempts are not
in it."""


class Plan:
    """The jobs of a study with what each would still cost.

    Parameters
    ----------
    study : the study
    folder : tables of throughputs, prices and assumptions
    remaining : outputs of the jobs that are to run; without it, of those whose output is not there
    """

    def __init__(self, study: Study, folder: str | Path = FOLDER, remaining: Collection[str] | None = None):
        self.study, self.folder, self.remaining = study, Path(folder), remaining
        assumptions = spending.read_rows(self.folder / "assumptions.tsv", "assumptions")
        speeds = spending.read_rows(self.folder / "throughput.tsv", "throughput")
        self.assumed = {(row["about"], row["what"]): row["value"] for row in assumptions}
        self.speeds = {(row["repository"], row["task"]): row for row in speeds}
        self.prices = Prices(self.folder / "prices.tsv")
        self.workload = Workload(study, self.assumed)
        self.jobs = self.workload.jobs
        self.loading = Loading(study, filter(self.to_do, self.jobs), lambda *about: self.assumed.get(about))

    @cached_property
    def rows(self) -> list[Record]:
        """One record per job, with the keys `COLUMNS`."""
        return [self.row(job) for job in self.jobs]

    @cached_property
    def total(self) -> Record:
        """All jobs together."""
        [total] = grouped(self.rows, ())
        return total

    def table(self) -> list[Record]:
        """One row per stage and model, one per stage (model ``all``), one for the whole."""
        models, table = grouped(self.rows, ("stage", "model")), []
        for stage in grouped(self.rows, ("stage",)):
            table += [*(row for row in models if row["stage"] == stage["stage"]), stage]
        return [*table, self.total]

    def to_do(self, job: Job) -> bool:
        """Whether a job is to run."""
        return job.output in self.remaining if self.remaining is not None else not Path(job.output).exists()

    def row(self, job: Job) -> Record:
        """What a job would still cost."""
        who = job.model.model if job.model else self.study.config["dataset"]["translation"]["backend"]
        row = {"stage": job.stage, "model": who, "currency": self.prices.currency} | dict.fromkeys(SUMMED, 0)
        if not self.to_do(job):
            return row | {"jobs": 1, "done": 1, "counted": 1}
        number = job.asked.number
        held = min(self.held(job, who), number)
        left = number - held
        part = left / number if number else 0
        read = self.workload.tokens(job.asked.characters) * part
        wrote = self.workload.written(left, job.longest)
        paid = job.task == "translate" or (job.model is not None and job.model.backend == "openai")
        costs = {
            "gpu_hours": 0.0 if paid else self.hours(job, left, read, wrote),
            "money": self.paid(job, read, wrote, job.characters * part) if paid else 0.0,
            "disk_gb": self.disk(job, left, read, wrote),
        }
        if not paid and costs["gpu_hours"]:
            costs["money"] = self.prices.gpu_hours(costs["gpu_hours"]) or 0.0
        unknown = {f"{key}_unknown": int(cost is None) for key, cost in costs.items()}
        return row | {key: cost or 0 for key, cost in costs.items()} | unknown | {
            "jobs": 1, "counted": int(job.asked.counted), "requests": left, "held": held,
            "tokens_in": read, "tokens_out": wrote, "characters": job.characters * part,
            "api_calls": calls(job, left) if paid else 0, **(self.loading.row(job) if left else {}),
        }  # fmt: skip

    def held(self, job: Job, who: str) -> float:
        """Answers that wait for a job in its journal, and are no others'; of translations those of no job before it."""
        if job.task != "translate":
            return max(spending.held(job.journal, who) - job.elsewhere, 0)
        jobs = sorted((one for one in self.jobs if one.task == "translate"), key=self.to_do)  # done ones have theirs
        before = sum(one.asked.number for one in jobs[: jobs.index(job)])
        return max(spending.held(translations_path(job.output), who) - before, 0)

    def hours(self, job: Job, left: float, read: float, wrote: float) -> float | None:
        """GPU-hours: by what this study measured at the same step with the same model, else by the table."""
        if job.task == "fetch" or job.model is None or not job.gpus or not left:
            return 0.0
        if (pace := self.paces.get((job.stage, job.model.model))) is not None:
            return left * pace * job.gpus / 3600
        speed = self.speeds.get((job.model.repository, job.task))
        if speed is None or speed["tokens_per_second"] is None:
            return None
        tokens: float = wrote if speed["counts"] == "out" else read + wrote
        return tokens / float(speed["tokens_per_second"]) / 3600

    @cached_property
    def paces(self) -> dict[tuple[str, str], float]:
        """Seconds per request (in a training per pair and epoch) that this study measured, by step and model."""
        spent: dict[tuple[str, str], tuple[float, int]] = defaultdict(lambda: (0.0, 0))
        journals = Path(self.workload.root, "journal")
        for account in sorted(journals.rglob("*.uses")):
            for use in spending.uses(account):
                if use.seconds is not None:
                    key = account.relative_to(journals).parts[0], use.who
                    spent[key] = spent[key][0] + use.seconds, spent[key][1] + use.misses
        trained = defaultdict(list)
        for name, variant in self.study.variants.items():
            if (file := Path(self.workload.root, "align", name, "manifest.json")).exists():
                facts = json.loads(file.read_text(encoding="utf-8"))
                pace = facts["seconds"] / facts["pairs"]["pairs"] / epochs(facts["recipe"])
                step = "align_fully" if name in self.study.trained_fully else "align"
                trained[step, variant.base].append(pace)
        found = {key: seconds / answers for key, (seconds, answers) in spent.items()}
        return found | {key: median(paces) for key, paces in trained.items()}

    def paid(self, job: Job, read: float, wrote: float, characters: float) -> float | None:
        """What an API or a translator takes."""
        if job.model is None:
            return self.prices.characters(characters) if characters else 0.0
        return self.prices.tokens(job.model.repository, read, wrote) if read else 0.0

    def disk(self, job: Job, left: float, read: float, wrote: float) -> float | None:
        """GB that stay on disk: weights, adapters, answers with what was asked, and once more in the journal."""
        if job.model is not None and job.task in ("fetch", "train"):
            return self.assumed.get((job.model.repository, "adapter" if job.stage == "align" else "weights"))
        kept = 2 * wrote + (read if job.task == "generate" else 0)
        characters = kept * self.workload.value("texts", "characters_per_token")
        return (2 * left * self.workload.value("texts", "record") + characters) / 1e9


def calls(job: Job, left: float) -> float:
    """Requests to an API; DeepL takes fifty texts of one pair of languages at a time."""
    if job.task != "translate" or not job.parts:
        return left
    return job.parts * math.ceil(left / job.parts / TEXTS_PER_REQUEST)


def grouped(rows: Iterable[Record], keys: Sequence[str]) -> list[Record]:
    """Sums of the rows that are equal in `keys`; where a name is no key it becomes ``all``."""
    groups: dict[tuple[str, ...], Record] = {}
    for row in rows:
        names = {key: row[key] if key in keys else "all" for key in ("stage", "model")}
        group = groups.setdefault(tuple(names.values()), names | dict.fromkeys(SUMMED, 0))
        group |= {key: group[key] + row[key] for key in SUMMED} | {"currency": row["currency"]}
    return list(groups.values())


def known(row: Record, key: str) -> str:
    """A sum, and of how many jobs it knows nothing."""
    unknown = row[f"{key}_unknown"]
    return figure(row[key]) + (f" (+ {unknown} jobs: ?)" if unknown else "")


def sentence(total: Record) -> str:
    """The total of a plan in one line."""
    return (
        f"{total['jobs'] - total['done']} jobs that cost something, with {known(total, 'gpu_hours')} GPU-hours, "
        f"{figure(total['api_calls'])} API calls and {known(total, 'money')} {total['currency']}"
    )


def exceeded(total: Record, budget: Mapping[str, float | None]) -> str | None:
    """What of the budget a plan exceeds, in words; None if nothing."""
    units = {"money": total["currency"], "gpu_hours": "GPU-hours"}
    for key, bound in budget.items():
        if bound is not None and total[key] > bound:
            return f"{known(total, key)} {units[key]}, more than the {figure(bound)} of budget.{key}"
    return None


def page(plan: Plan, asked: str) -> str:
    """The plan as Markdown: costs by stage, then all that was assumed, with sources."""
    total = plan.total
    costs = ("gpu_hours", "money", "disk_gb")
    counts = ("jobs", "done", "requests", "held", "tokens_in", "tokens_out", "characters", "api_calls")
    header = ["stage", *(key.replace("_", " ") for key in counts), "GPU-hours", total["currency"], "disk [GB]"]
    cells = [
        [row["stage"], *(figure(row[key]) for key in counts), *(known(row, key) for key in costs)]
        for row in plan.table()
        if row["model"] == "all"
    ]
    names = {job.model.repository for job in plan.jobs if job.model}
    names |= {"texts", "shares", "released", "deepl", "gpu", "disk"}
    names |= {row.source for row in plan.study.benchmarks.values()}
    parts = [
        f"# What study {plan.study.name} would still cost\n\nMade on {asked[:16]}. {NOTE}\n\n",
        pipe_table(header, cells, 1),
        f"\nOf {total['jobs']} jobs {total['counted']} are done or their requests were counted in files; the others' "
        "are assumed.\n",
        loads(plan),
    ]
    for table in ("assumptions", "throughput", "prices"):
        path = plan.folder / f"{table}.tsv"
        rows = [row for row in spending.read_rows(path, table) if next(iter(row.values())) in names]
        texts = [[cell(value) for value in row.values()] for row in rows]
        columns = [column.replace("_", " ") for column in rows[0]] if rows else []
        parts.append(f"\n## {table.capitalize()}\n\nFrom `{path}`.\n\n{pipe_table(columns, texts, len(columns))}")
    return "".join(parts)


def loads(plan: Plan) -> str:
    """How often each model is loaded, and how long GPUs wait for it, as Markdown; nothing where no GPU waits."""
    rows = [row for row in grouped(plan.rows, ("stage", "model")) if row["loads_apart"]]
    if not rows:
        return ""
    [total] = grouped(rows, ())
    header = ["stage", "model", "jobs that load it", "loads", "GPU-hours waiting", "GPU-hours if each job loads"]
    cells = [
        [row["stage"], row["model"], figure(row["loads_apart"]), figure(round(row["loads"], 6)),
         *(known(row | {f"{key}_unknown": row["loading_unknown"]}, key) for key in ("loading", "loading_apart"))]
        for row in [*rows, total]
    ]  # fmt: skip
    copy = plan.loading.copy(job for job in plan.jobs if plan.to_do(job))
    merging = (
        f" A copy of a base with an adapter merged, of up to {figure(copy)} GB, lies in `$TMPDIR` of the node "
        "while it answers."
        if copy
        else ""
    )
    return (
        "\n## Loading models\n\nJobs that load the same model go to a cluster as one and load it once "
        "(`judging.together`); elsewhere whoever has loaded it asks it for those that can begin, too. What a GPU waits "
        f"is reckoned from the size of the weights alone.{merging}\n\n{pipe_table(header, cells, 2)}"
    )


def cell(value: float | str | None) -> str:
    """A cell of ``resources/plan`` as text; ``?`` where a figure is not known."""
    return "?" if value is None else f"{value:,g}" if isinstance(value, float) else value
