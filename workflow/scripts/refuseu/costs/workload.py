"""What the jobs of a study ask for: requests and texts.

The jobs are those of the default target that ask a model or a translator, train, or download weights.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from refuseu.costs.texts import StudyTexts, Texts
from refuseu.dataset.deepl import billed
from refuseu.evaluation.guards import LONGEST, TEMPLATES
from refuseu.job.paths import journal_path
from refuseu.recipes import scored
from refuseu.records import Record, read_jsonl
from refuseu.study.rows import Model
from refuseu.study.selection import Selection

EPOCHS = 3  # the trainers' default


@dataclass(frozen=True)
class Job:
    """One job and what it asks.

    Attributes
    ----------
    stage : its rule
    output : its first output
    model : who answers, is trained or is fetched; None for a translator
    task : generate, read, train, translate or fetch
    asked : requests (pairs times epochs in a training) and the characters that are read
    longest : tokens of the longest answer
    characters : that a translator is paid for
    parts : pairs of languages that a translator is asked for
    phase : in which it differs from jobs with the same journal
    elsewhere : requests that these are done with
    """

    stage: str
    output: str
    model: Model | None
    task: str
    asked: Texts
    longest: float = 0
    characters: float = 0
    parts: float = 1
    phase: str = ""
    elsewhere: float = 0

    @property
    def gpus(self) -> int:
        """GPUs that it takes."""
        return self.model.gpus_for(self.stage) if self.model else 0

    @property
    def journal(self) -> Path:
        """Where its answers are kept as they come."""
        return journal_path(self.output, self.phase)


class Workload(StudyTexts):
    """All jobs of a study."""

    @property
    def jobs(self) -> list[Job]:
        """All jobs, in the order of the graph."""
        asking = [*self.building(), *self.training(), *self.evaluation()]
        models = {job.model.model: job.model for job in asking if job.model}
        fetching = [
            Job("fetch_model", f"{self.root}/fetch_model/{name}.json", model, "fetch", Texts(0, 0, True))
            for name, model in models.items()
            if model.downloaded
        ]
        return fetching + asking

    def building(self) -> Iterator[Job]:
        """From the translation of the seeds to the labels of the answers."""
        if not self.built:
            return
        texts = [seed["text"] for seed in self.seeds]
        others = [code for code in self.study.built if code != self.dataset["seed_language"]]
        seeds = Texts(len(texts), sum(map(billed, texts)), True)
        yield self.translation("translate_seeds/seeds.jsonl", [(seeds, len(others))])
        for phase in dict.fromkeys([*self.study.phases, "pilot"]):
            asked = self.asked_for_prompts(phase)
            yield from (self.sharing(job, phase) for job in asked) if self.dataset["fill"] else asked
        for phase, side in itertools.product(self.study.phases, ("chosen", "rejected")):
            answering = Job("answer_prompts", f"{self.root}/answer_prompts/{phase}/{side}.jsonl",
                            self.study.models[self.dataset[side]], "generate", self.kept(phase),
                            self.dataset["answers"]["max_new_tokens"])  # fmt: skip
            yield self.sharing(answering, phase)
            for name in self.guards:
                labelled = self.judged(f"label_answers/{phase}/{side}/{name}.jsonl", name, self.side(phase, side))
                yield self.sharing(labelled, phase)

    def asked_for_prompts(self, phase: str) -> Iterator[Job]:
        """Prompts of a phase and their labels."""
        for name in self.generators(phase):
            yield Job("generate_prompts", f"{self.root}/generate_prompts/{phase}/{name}.jsonl",
                      self.study.models[name], "generate", self.wanted(phase),
                      self.dataset["sampling"]["max_new_tokens"])  # fmt: skip
        judges = [*self.dataset["prompt_judges"], *self.guards] if phase == "main" else self.guards
        for name in dict.fromkeys(judges):
            yield self.judged(f"label_prompts/{phase}/{name}.jsonl", name, self.prompts(phase))

    def sharing(self, job: Job, phase: str) -> Job:
        """A job of a phase whose journal is that of all phases: what the others are done with is none of its own."""
        others = {"pilot", *self.study.phases} - {phase}
        inside = job.output.removeprefix(self.root)
        outputs = (Path(self.root + inside.replace(f"/{phase}/", f"/{other}/")) for other in others)
        elsewhere = sum(len(read_jsonl(output)) for output in outputs if output.exists())
        return replace(job, phase=phase, elsewhere=elsewhere)

    def training(self) -> Iterator[Job]:
        """Reference log-probabilities, translated prompts, adapters and whole models."""
        variants = self.study.variants
        for base in dict.fromkeys(v.base for v in variants.values() if v.objective == "dpo"):
            _, both = self.pairs(self.study.built)
            yield Job("reference", f"{self.root}/reference/{base}.parquet", self.study.models[base], "read", both)
        scoring = (v.base for v in variants.values() if v.objective == "dpo" and scored(self.study.recipes[v.recipe]))
        for base in dict.fromkeys(scoring):
            yield Job("reference_held_out", f"{self.root}/reference_held_out/{base}.parquet",
                      self.study.models[base], "read", self.held_out)  # fmt: skip
        known = {own: {own} for own in self.study.languages}
        for name, (sources, targets) in self.study.routes.items():
            # What an earlier route has translated is in the store.
            wanted = [(self.pairs([own])[0], len({*targets} - known[own])) for own in sources]
            yield self.translation(f"translate_prompts/{name}.jsonl", wanted)
            known |= {own: known[own] | {*targets} for own in sources}
        for name, variant in variants.items():
            recipe = self.study.recipes[variant.recipe]
            _, both = self.pairs(self.study.as_many_as(name) or variant.languages)
            seen = Texts(both.number * epochs(recipe), both.characters * epochs(recipe), both.counted)
            whole = name in self.study.trained_fully
            stage, left = ("align_fully", "weights") if whole else ("align", "adapter_model.safetensors")
            yield Job(stage, f"{self.root}/align/{name}/{left}", self.study.models[variant.base], "train", seen)

    @property
    def held_out(self) -> Texts:
        """Pairs of the test half: what is read of them, each prompt with each answer."""
        twice = Texts(2 * self.tested.number, 2 * self.tested.characters, False)
        read = self.answered(twice, self.dataset["answers"]["max_new_tokens"])
        return Texts(self.tested.number, read.characters, False)

    def evaluation(self) -> Iterator[Job]:
        """Answers, labels, verdicts, ratings, multiple choice."""
        config = self.study.config
        for model, name in self.study.evaluations("harmful", "benign", "fluency"):
            row = self.study.benchmarks[name]
            yield Job("generate", f"{self.root}/generate/{model}/{name}.jsonl", self.study.answering(model),
                      "generate", self.benchmark(name), row.max_new_tokens)  # fmt: skip
            if row.kind == "harmful":
                for guard in self.guards:
                    yield self.judged(f"judge/{guard}/{model}/{name}.jsonl", guard, self.responses(model, name))
                adjudicator = config["judging"]["adjudicator"]
                yield self.judged(f"adjudicate/{model}/{name}.jsonl", adjudicator, self.disputed(model, name))
            elif row.kind == "benign" and (guard := self.study.states_refusals("benign")):
                yield self.judged(f"judge/{guard}/{model}/{name}.jsonl", guard, self.responses(model, name))
            elif row.kind == "fluency":
                judge, longest = config["fluency"]["judge"], config["fluency"]["max_new_tokens"]
                yield self.judged(f"judge_fluency/{model}/{name}.jsonl", judge, self.responses(model, name), longest)
        for guard in config["judging"]["held_out"]:
            for model, name in Selection(self.study).evaluations("circularity"):
                yield self.judged(f"judge/{guard}/{model}/{name}.jsonl", guard, self.responses(model, name))
        limit = config["knowledge"]["limit"]
        for model, name in self.study.evaluations("knowledge"):
            asked = self.benchmark(name)
            if limit and asked.number:
                asked = asked.share(min(1, limit * len(self.study.benchmarks[name].languages) / asked.number))
            # Each question comes after the solved ones.
            asked = Texts(asked.number, asked.characters * (1 + config["knowledge"]["few_shot"]), asked.counted)
            yield Job("knowledge", f"{self.root}/knowledge/{model}/{name}.jsonl", self.study.answering(model),
                      "read", asked)  # fmt: skip

    def judged(self, output: str, judge: str, items: Texts, longest: float = LONGEST) -> Job:
        """A job in which a judge sees items inside its templates; a rating is two requests."""
        row = self.study.models[judge]
        names, files = TEMPLATES.get(row.format, ()), self.study.config["templates"]
        frames: list[float] = [len(Path(files[name]).read_text(encoding="utf-8")) for name in names]
        frames = frames or [self.value("texts", "guard_template")]
        characters = len(frames) * items.characters + items.number * sum(frames)
        # A judge with a long answer thinks; one with a short answer mostly reads.
        task = "generate" if longest > LONGEST else "read"
        asked = Texts(items.number * len(frames), characters, items.counted)
        return Job(output.partition("/")[0], f"{self.root}/{output}", row, task, asked, longest)

    def translation(self, output: str, wanted: Sequence[tuple[Texts, int]]) -> Job:
        """A job that translates texts, each into so many languages; a translation memory costs nothing."""
        paid = wanted if self.dataset["translation"]["backend"] == "deepl" else []
        number, characters = (
            sum(getattr(texts, what) * times for texts, times in paid) for what in ("number", "characters")
        )
        asked = Texts(number, 0, all(texts.counted for texts, _ in wanted))
        parts = sum(times for _, times in paid)
        return Job(output.partition("/")[0], f"{self.root}/{output}", None, "translate", asked, 0, characters, parts)


def epochs(recipe: Record) -> float:
    """Epochs of a training."""
    return float(recipe.get("trainer", {}).get("num_train_epochs", EPOCHS))
