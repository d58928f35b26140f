"""What each table and figure shows: its rule asks for the measures of these models and no others."""

import itertools
from functools import cached_property

from refuseu.analysis.runs import CONTROLS, Models, bases, contrasts, is_trained, several_seeds
from refuseu.artifacts.artifact import Artifact
from refuseu.artifacts.choices import Choice
from refuseu.artifacts.declared import ARTIFACTS, NAMED
from refuseu.study.benchmarks import Wildcards
from refuseu.study.wiring import Wiring


class Selection(Wiring):
    """The tables and figures of a study."""

    # Which there are

    def has(self, what: str) -> bool:
        """Whether a study has what some of them need; nothing is built, unless asked for, where it is downloaded."""
        known: dict[str, bool] = {
            "": True,
            "built": self.config["dataset"]["source"] == "build",
            "miniature": "miniature" in self.config,
            "audited": bool(self.study.audited),
            "consistent": any(variant.consistent for variant in self.study.variants.values()),
            "held_out": bool(self.config["judging"]["held_out"]),
            "asked": False,  # made when asked for only: what costs, and what is about the means of the study
        }
        return known[what]

    def own(self, *kinds: str) -> list[Artifact]:
        """Those of the study, in the order of the report."""
        return [artifact for artifact in ARTIFACTS if artifact.kind in kinds and self.has(artifact.when)]

    def validation(self) -> list[Artifact]:
        """Those that compare judges with people, and need nothing else of the study."""
        asked = [artifact for artifact in ARTIFACTS if "{validated}" in artifact.inputs.get("labels", "")]
        return [one for one in asked if not {"answers", "measured"} & set(one.inputs)]

    def ruled(self, kind: str) -> list[Artifact]:
        """Those with a rule: all that can be asked for; only the miniature knows how good its judges are."""
        return [one for one in ARTIFACTS if one.kind == kind and (one.when != "miniature" or self.has("miniature"))]

    # What they show

    @cached_property
    def trained_on(self) -> dict[str, list[str]]:
        """Run → languages, of the runs of plain DPO but the controls, which alone can be compared by language."""
        variants = self.study.variants.items()
        return {
            model: list(variant.languages)
            for model, variant in variants
            if variant.method == "dpo" and variant.variant not in CONTROLS
        }

    def models(self, target: str) -> Models:
        """The labels of the models that it shows: of its choice those that are evaluated on what it shows."""
        artifact = NAMED[target]
        found = self._chosen(artifact.models) if artifact.models else []
        on = self.benchmarks(target)
        evaluated = {model for benchmark in on for model in self.study.models_on(benchmark)}
        return {m: self.study.evaluated[m] for m in found if m in evaluated or not artifact.benchmarks}

    def _chosen(self, choice: Choice) -> list[str]:
        return choice(self.study.evaluated, self.trained_on)

    def benchmarks(self, target: str) -> list[str]:
        """The benchmarks on which it shows them."""
        return self._named(*NAMED[target].benchmarks.split())

    def _named(self, *wanted: str) -> list[str]:
        """Benchmarks with one of these names, and the first of each of these kinds: tables average no two."""
        first = {row.kind: name for name, row in reversed(self.study.benchmarks.items())}
        return [name for name, row in self.study.benchmarks.items()
                if name in wanted or (row.kind in wanted and first[row.kind] == name)]  # fmt: skip

    def evaluations(self, target: str) -> list[tuple[str, str]]:
        """(model, benchmark) of the measures that it shows."""
        models = self.models(target)
        return [(m, b) for b in self.benchmarks(target) for m in self.study.models_on(b) if m in models]

    def further(self, target: str) -> list[tuple[str, str]]:
        """(model, benchmark) of the measures that it shows besides."""
        choice = NAMED[target].models
        models = self._chosen(choice) if choice else []
        kinds = [self._named(kind) for kind in NAMED[target].further]
        return [(m, b) for b in itertools.chain(*kinds) for m in self.study.models_on(b) if m in models]

    def seeded(self, evaluations: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """(base and variant, benchmark) of what is measured over several training seeds of these."""
        found: dict[str, list[str]] = {}
        for model, benchmark in evaluations:
            found.setdefault(benchmark, []).append(model)
        return [(run, b) for b, models in found.items() for run in self.runs_of(models)]

    def runs_of(self, models: list[str]) -> dict[str, list[str]]:
        """Base and variant, as in a model's id → its models, of those with several training seeds."""
        return {"-".join(run): own for run, own in several_seeds(models, self.study.evaluated).items()}

    def seeded_models(self, wildcards: Wildcards) -> Models:
        """The labels of a job's models, which differ in their training seed alone."""
        own = self.runs_of(self.study.models_on(wildcards["benchmark"]))[wildcards["run"]]
        return {model: self.study.evaluated[model] for model in own}

    def seeded_answers(self, wildcards: Wildcards) -> list[str]:
        """What is known of the answers of those models."""
        return [f"<study>/measure/{m}/{wildcards['benchmark']}.jsonl" for m in self.seeded_models(wildcards)]

    def every_seeded(self) -> list[tuple[str, str]]:
        """(base and variant, benchmark) of all that is measured over several training seeds."""
        return self.seeded([(m, b) for b in self.study.benchmarks for m in self.study.models_on(b)])

    def comparisons(self, target: str) -> list[tuple[str, str]]:
        """(base, benchmark) of the comparisons that it shows."""
        own, on = bases(self.models(target)), self.benchmarks(target)
        return [(base, benchmark) for base, benchmark in self.all_comparisons() if base in own and benchmark in on]

    def all_comparisons(self) -> list[tuple[str, str]]:
        """(base, benchmark) on which there is a trained run and something to compare it with."""
        every = itertools.product(bases(self.study.evaluated), self.study.benchmarks)
        return [(base, benchmark) for base, benchmark in every if self.compared(base, benchmark)]

    def compared(self, base: str, benchmark: str) -> Models:
        """The labels of a base's runs on a benchmark that are compared, and of what they are compared with."""
        evaluated = self.study.evaluated
        found = {m: evaluated[m] for m in self.study.models_on(benchmark) if evaluated[m]["base"] == base}
        used = {model for contrast in contrasts(found) for model in contrast}
        return {model: labels for model, labels in found.items() if model in used}

    def compared_models(self, wildcards: Wildcards) -> Models:
        """The same of a job."""
        return self.compared(wildcards["base"], wildcards["benchmark"])

    def compared_answers(self, wildcards: Wildcards) -> list[str]:
        """What is known of the answers of those runs."""
        return [f"<study>/measure/{m}/{wildcards['benchmark']}.jsonl" for m in self.compared_models(wildcards)]

    def translated(self, target: str) -> dict[str, list[list[str]]]:
        """Runs with the consistency loss that it shows → the languages of their pairs and of their translations."""
        trained = [model for model, labels in self.models(target).items() if is_trained(labels)]
        return {model: list(map(list, ends)) for model in trained if (ends := self.study.route_ends(model))}
