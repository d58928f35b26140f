"""Inputs and params of the rules that draw tables and figures, and what reports say of these."""

import itertools
from collections.abc import Callable
from string import Formatter
from typing import Any

from refuseu.analysis.runs import is_trained
from refuseu.artifacts.artifact import Artifact
from refuseu.artifacts.declared import METHODS, NAMED
from refuseu.evaluation.guards import not_covered
from refuseu.study.benchmarks import Values, Wildcards
from refuseu.study.selection import Selection

CAPTION = "workflow/report/artifact.rst"


class ArtifactRules(Selection):
    """The rules of a study's tables and figures."""

    def inputs(self, artifact: Artifact) -> dict[str, str | list[str]]:
        """Files by the parameter of the drawing function that gets them."""
        files = {name: self.files(pattern, artifact) for name, pattern in artifact.inputs.items()}
        published = [f"resources/published/{name}.csv" for name in artifact.published]
        if published:
            files["published"] = published if len(published) > 1 else published[0]
        return files

    def files(self, pattern: str, artifact: Artifact) -> str | list[str]:
        """The files that a pattern stands for; a list if one of its slots has a list of values, or it is several."""
        if " " in pattern:
            return [file for one in pattern.split() for file in self.files(one, artifact)]
        names = [name for _, name, _, _ in Formatter().parse(pattern) if name]
        slots = [self.slot(name, artifact.target) for name in names]
        values = itertools.product(*([slot] if isinstance(slot, str) else slot for slot in slots))
        found = [pattern.format(**dict(zip(names, chosen, strict=True))) for chosen in values]
        return found if any(isinstance(slot, list) for slot in slots) else found[0]

    def slot(self, name: str, target: str) -> str | list[str]:
        """What stands in the place of a name in the pattern of an input."""
        dataset, judging = self.config["dataset"], self.config["judging"]
        match name:
            case "train" | "test":
                return self.dataset_half(name)
            case "markers":
                return str(self.config["outcomes"]["refusal_markers"])
            case "evaluation":
                return joined(self.evaluations(target))
            case "further":
                return joined(self.further(target))
            case "seeded":
                return joined(self.seeded(self.evaluations(target)))
            case "further_seeded":
                return joined(self.seeded(self.further(target)))
            case "comparison":
                return joined(self.comparisons(target))
            case "trained":
                return [model for model, labels in self.models(target).items() if is_trained(labels)]
            case "audited":
                return joined(self.study.audited)
            case "returned":
                return joined(self.study.audited) if self.returned_sheets() else []
            case "audit":
                return ["<study>/audit"] if self.returned_sheets() else []
            case "outside":
                return [row.benchmark for row in self.study.benchmarks.values() if row.revision != "dataset"]
            case "pilot":
                return list(dataset["generators"]["pilot"])
            case "guard":
                return list(judging["guards"])
            case "held_out":
                return list(judging["held_out"])
            case "validated":
                return [*judging["guards"], *judging["held_out"], judging["adjudicator"]]
        raise LookupError(f"no slot is called {name}")

    def arguments(self, artifact: Artifact) -> Values:
        """What the drawing function gets besides files."""
        return {name: self.fact(name, artifact.target) for name in artifact.facts} | dict(artifact.says)

    def fact(self, name: str, target: str) -> Any:
        """A parameter of a drawing function that the study knows."""
        config, dataset, judging = self.config, self.config["dataset"], self.config["judging"]
        match name:
            case "languages" | "statistics":
                return config[name]
            case "codes":
                return list(self.study.languages)
            case "models":
                return dict(self.models(target))
            case "evaluated":
                return self.study.evaluated
            case "trained_on":
                return {m: self.trained_on[m] for m in self.models(target) if m in self.trained_on}
            case "translated":
                return self.translated(target)
            case "audited":
                return [model for model, _ in self.study.audited]
            case "kinds":
                return {name: row.kind for name, row in self.study.benchmarks.items()}
            case "guards":
                return list(judging["guards"])
            case "refusals_by":
                return {kind: self.refusals_by(kind) for kind in ("harmful", "benign")}
            case "deciders":
                return {name: judging[name] for name in ("guards", "adjudicator")}
            case "guard_coverage":
                return self.not_made_for(judging["guards"])
            case "held_out_coverage":
                return self.not_made_for(judging["held_out"])
            case "prompt_judge_coverage":
                return self.not_made_for(dataset["prompt_judges"])
            case "generators":
                return dataset["generators"]["pilot"]
            case "near_duplicates":
                return dataset[name]
            case "neighbours":
                return config["language_identification"][name]
            case "confidence":
                return config["statistics"][name]
        raise LookupError(f"no fact is called {name}")

    def refusals_by(self, kind: str) -> str:
        """Who says whether an answer to a benchmark of a kind refuses, in words."""
        guard, policy = self.study.states_refusals(kind), self.config["outcomes"]["refusal"]
        if not guard or policy == "markers":
            return "the refusal markers"
        return f"the guard {guard}" + (" or the refusal markers" if policy == "either" else "")

    def not_made_for(self, judges: list[str]) -> dict[str, list[str]]:
        """Judge → languages of the study that it was not made for."""
        return {judge: not_covered(self.study.models[judge].format, self.study.languages) for judge in judges}

    def frame(self, artifact: Artifact) -> dict[str, str]:
        """The file of all its values, if it has one."""
        return {"frame": f"<study>/{artifact.target}/{artifact.target}.csv"} if artifact.frame else {}

    @property
    def bases(self) -> dict[str, str]:
        """What figures call the bases that stand for others: ``small (for 8B)``."""
        models = self.study.models.values()
        return {one.model: f"{one.model} (for {one.stands_for})" for one in models if one.stands_for}

    def style(self) -> Values:
        """How figures look."""
        return {**self.config["figures"], **({"bases": self.bases} if self.bases else {})}

    # The reports

    def in_report(self, target: str) -> Values:
        """Where Snakemake's own report shows it, and under which title."""
        artifact = NAMED[target]
        return {"caption": f"../{CAPTION}", "category": artifact.section, "labels": {"artifact": artifact.title}}

    def caption(self, target: str) -> Callable[[Wildcards, object], str]:
        """What Snakemake's own report says of it. A param that may depend on resources is never compared."""
        return lambda wildcards, resources: f"**{NAMED[target].title}.** {NAMED[target].caption}"

    def entries(self) -> list[Values]:
        """What our report shows, in its order."""
        said = ("target", "section", "title", "caption", "csv", "columns")
        return [
            {name: getattr(artifact, name) for name in said}
            | {
                "models": list(self.models(artifact.target)),
                "benchmarks": self.benchmarks(artifact.target),
                "method": artifact.method or METHODS[artifact.section],
            }
            for artifact in self.own("table", "figure")
        ]

    def pages(self) -> list[str]:
        """Files that hold them as the report shows them."""
        return [
            f"<study>/figures/{one.file}.svg" if one.kind == "figure" else f"<study>/{one.target}/page.json"
            for one in self.own("table", "figure")
        ]


def joined(places: list[tuple[str, str]]) -> list[str]:
    """Folder and file."""
    return ["/".join(place) for place in places]
