"""What the steps of a study read and write: texts, counted where files are there, else assumed."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from refuseu.costs.yields import Yields, measured
from refuseu.dataset.seeds import read_seeds
from refuseu.errors import UserError
from refuseu.evaluation.benchmarks import load
from refuseu.judge_rows import agreed
from refuseu.records import Record, read_jsonl
from refuseu.rows import Seed
from refuseu.study.study import Study
from refuseu.study.tables import files_there

OPTIONS = ("question", "option_a", "option_b", "option_c", "option_d")


@dataclass(frozen=True)
class Texts:
    """Some texts.

    Attributes
    ----------
    number : how many
    characters : in all
    counted : whether in a file; else they are assumed
    """

    number: float
    characters: float
    counted: bool

    def share(self, part: float) -> "Texts":
        """So much of them, assumed."""
        return self if part == 1 else Texts(self.number * part, self.characters * part, False)


class StudyTexts:
    """All texts of a study.

    Parameters
    ----------
    study : the study
    assumed : (about, what) → value of ``resources/plan/assumptions.tsv``
    """

    def __init__(self, study: Study, assumed: Mapping[tuple[str, str], float | None]):
        self.study, self.table = study, assumed
        self.root = f"results/{study.name}"
        self.dataset, self.guards = study.config["dataset"], study.config["judging"]["guards"]
        self.built = self.dataset["source"] == "build"
        self.halves = f"{self.root}/{'split_pairs' if self.built else 'load_dataset'}"

    # Units

    def value(self, about: str, what: str) -> float:
        """An assumption that the plan cannot do without.

        Raises
        ------
        UserError
            If the table has no such row or no value in it.
        """
        if (found := self.table.get((about, what))) is None:
            raise UserError(f"the table of assumptions has no value for {about}, {what}; add the row or its value")
        return found

    def tokens(self, characters: float) -> float:
        return characters / self.value("texts", "characters_per_token")

    def written(self, number: float, longest: float) -> float:
        """Tokens of so many answers at their assumed length."""
        return number * longest * self.value("shares", "answer_length")

    def answered(self, prompts: Texts, longest: float) -> Texts:
        """Prompts with their answers."""
        answers = self.written(prompts.number, longest) * self.value("texts", "characters_per_token")
        return Texts(prompts.number, prompts.characters + answers, False)

    def assumed(self, number: float, what: str = "prompt") -> Texts:
        return Texts(number, number * self.value("texts", what), False)

    # Texts of the dataset

    @cached_property
    def seeds(self) -> list[Seed]:
        return read_seeds(self.dataset["seeds"], self.dataset["seed_language"], self.dataset["instructions"])

    @cached_property
    def seed_kinds(self) -> Counter[str]:
        return Counter(seed["kind"] for seed in self.seeds)

    def generators(self, phase: str) -> list[str]:
        generators = self.dataset["generators"]
        return generators["pilot"] if phase == "pilot" else [generators["main"]]

    def wanted(self, phase: str) -> Texts:
        """Prompts that one generator is asked for in a phase."""
        if self.dataset["fill"]:
            return self.assumed(self.needed(phase))
        each, kinds = self.dataset["prompts_per_category"], self.seed_kinds
        every = each * kinds["category"] if each else (
            self.dataset["prompts_per_slot"] * kinds["activity"] * kinds["style"]
        )  # fmt: skip
        each = min(self.dataset["pilot_n"], every) if phase == "pilot" else every
        return self.assumed(each * len(self.study.built))

    def needed(self, phase: str) -> float:
        """Prompts that a phase asks for to fill the dataset; before the pilot as many as the assumed yield demands.

        The rounds after the first are to ask for nothing, as long as no file says otherwise.
        """
        if (file := Path(self.root, "feasibility", f"{phase}.jsonl")).exists():
            return float(sum(row["more"] for row in read_jsonl(file)))
        pilot = float(self.dataset["pilot_n"] * len(self.study.built))
        if phase == "pilot":
            return pilot
        cells, fill = self.seed_kinds["category"] * len(self.study.built), self.dataset["fill"]
        each = min(fill["pairs"] / self.value("shares", "prompts_paired"), fill["most"])
        return max(each * cells - pilot, 0) if phase == "main" else 0

    def prompts(self, phase: str, generators: Sequence[str] = ()) -> Texts:
        """Prompts of all generators of a phase, or of some."""
        names = generators or self.generators(phase)
        files = (f"{self.root}/generate_prompts/{phase}/{name}.jsonl" for name in names)
        found = [counted(file, ("prompt",)) or self.wanted(phase) for file in files]
        return Texts(
            sum(texts.number for texts in found),
            sum(texts.characters for texts in found),
            all(texts.counted for texts in found),
        )

    @cache  # noqa: B019 (one object per plan)
    def kept(self, phase: str) -> Texts:
        """Prompts of a phase that passed the filters."""
        if found := counted(f"{self.root}/filter_prompts/{phase}/prompts.jsonl", ("prompt",)):
            return found
        share = self.yields.kept if self.yields.kept is not None else self.value("shares", "prompts_kept")
        return self.prompts(phase, [self.dataset["generators"]["main"]]).share(share)

    def side(self, phase: str, side: str) -> Texts:
        """Prompts and answers of one side of the pairs in a phase."""
        found = counted(f"{self.root}/answer_prompts/{phase}/{side}.jsonl", ("prompt", "response"))
        return found or self.answered(self.kept(phase), self.dataset["answers"]["max_new_tokens"])

    @cached_property
    def yields(self) -> Yields:
        """What became of the prompts so far."""
        return measured(self.root, ["pilot", *self.study.phases], self.dataset, self.guards)

    def paired(self) -> float:
        """Pairs of all phases."""
        found = 0.0
        for phase in self.study.phases:
            if (file := Path(self.root, "build_pairs", phase, "pairs.jsonl")).exists():
                found += len(read_jsonl(file))
            else:
                share = self.yields.paired if self.yields.paired is not None else self.value("shares", "pairs_kept")
                found += self.kept(phase).number * share
        if fill := self.dataset["fill"]:  # which asks for no more than it takes, whatever the filters let pass
            found = min(found, fill["pairs"] * self.seed_kinds["category"] * len(self.study.built))
        return found

    @cached_property
    def tested(self) -> Texts:
        """Prompts of the test half."""
        if found := counted(f"{self.halves}/test.jsonl", ("prompt",)):
            return found
        each = (
            self.dataset["split"]["per_category"] * self.seed_kinds["category"]
            if self.built
            else self.value("released", "test")
        )
        return self.assumed(each * len(self.study.built))

    @cached_property
    def train(self) -> list[Record] | None:
        """The training pairs, if they are there."""
        file = Path(self.halves, "train.jsonl")
        return read_jsonl(file) if file.exists() else None

    def pairs(self, languages: Collection[str]) -> tuple[Texts, Texts]:
        """Training pairs in some languages: their prompts, and what is read of them, each prompt with each answer."""
        if self.train is not None:
            rows = [row for row in self.train if row["language"] in languages]
            sides = (turn["content"] for row in rows for side in ("chosen", "rejected") for turn in row[side])
            prompts = Texts(len(rows), sum(len(row["prompt"]) for row in rows), True)
            return prompts, Texts(len(rows), sum(map(len, sides)), True)
        number = self.value("released", "train") * len(languages) if not self.built else (
            max(self.paired() - self.tested.number, 0)
            * len(languages) / len(self.study.built)
        )  # fmt: skip
        prompts = self.assumed(number)
        both = self.answered(self.assumed(2 * number), self.dataset["answers"]["max_new_tokens"])
        return prompts, Texts(number, both.characters, False)

    # Texts of the evaluation

    @cache  # noqa: B019
    def benchmark(self, name: str) -> Texts:
        """Prompts or questions of a benchmark."""
        row = self.study.benchmarks[name]
        what = "question" if row.kind == "knowledge" else "prompt"
        if found := counted(f"{self.root}/load_benchmark/{name}.jsonl", OPTIONS if what == "question" else (what,)):
            return found
        if row.source == "refuseu":
            return self.tested
        table = self.study.tables.get(name)
        here = files_there(table, row) if table else row.source == "questions" and Path(row.repository).is_dir()
        if here:
            asked: Sequence[Mapping[str, Any]] = load(row.source, name, row.repository, list(row.languages), table)
            return Texts(len(asked), sum(len(q["prompt"]) for q in asked), True)
        return self.assumed(self.value(row.source, "prompts") * len(row.languages), what)

    @cache  # noqa: B019
    def responses(self, model: str, benchmark: str) -> Texts:
        """Prompts and answers of a model on a benchmark."""
        found = counted(f"{self.root}/generate/{model}/{benchmark}.jsonl", ("prompt", "response"))
        return found or self.answered(self.benchmark(benchmark), self.study.benchmarks[benchmark].max_new_tokens)

    def disputed(self, model: str, benchmark: str) -> Texts:
        """Responses on which the guards agree on nothing, so that the adjudicator is asked."""
        responses = self.responses(model, benchmark)
        files = [Path(self.root, "judge", guard, model, f"{benchmark}.jsonl") for guard in self.guards]
        if not all(file.exists() for file in files):
            return responses.share(self.value("shares", "disputed"))
        said: dict[tuple[str, str], set[str]] = defaultdict(set)
        for file in files:
            for row in read_jsonl(file):
                said[row["language"], row["prompt_id"]].add(row["label"])
        number = sum(not agreed(labels) for labels in said.values())
        return Texts(number, responses.characters * number / max(responses.number, 1), responses.counted)


def counted(file: str, keys: Sequence[str]) -> Texts | None:
    """The rows of a file and the characters of some of their texts; None if it is not there."""
    if not Path(file).exists():
        return None
    rows = [row for row in read_jsonl(file) if row.get("split") != "dev"]  # those are shown solved
    return Texts(len(rows), sum(len(row.get(key) or "") for row in rows for key in keys), True)
