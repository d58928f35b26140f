"""A study: config and sheets, read once, checked against each other, and what follows from them."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from refuseu.evaluation.guards import FORMATS
from refuseu.schemas import read_yaml
from refuseu.study import checks
from refuseu.study.rows import Model
from refuseu.study.sheets import Codes, Sheets
from refuseu.wording import pins

CLAIMS = "config/claims.yaml"


class Study(Sheets):
    """The whole study, checked.

    Parameters
    ----------
    config : the merged configuration, as Snakemake hands it over
    source : the files it came from, for error messages

    Raises
    ------
    UserError
        On the first mistake found; one sentence with file, key or row, and cure.
    """

    def __init__(self, config: dict[str, Any], source: str = "config/config.yaml"):
        super().__init__(config, source)
        checks.check_variants(self)
        checks.check_recipes(self)
        checks.check_models(self)
        checks.check_own(self)
        checks.check_uses(self)
        checks.check_evaluated_languages(self)
        read_yaml(CLAIMS, "claims", "restore it: all studies share it")

    @property
    def phases(self) -> list[str]:
        """Phases whose prompts become pairs: the main one; where the dataset is filled, pilot and rounds."""
        fill = self.config["dataset"]["fill"]
        return ["pilot", "main", *(f"round{n}" for n in range(2, fill["rounds"] + 1))] if fill else ["main"]

    @cached_property
    def routes(self) -> dict[str, tuple[Codes, Codes]]:
        """Translations that consistency losses need: name → languages of the pairs, languages of the loss."""
        return {self.route(model): ends for model in self.variants if (ends := self.route_ends(model))}

    def route(self, model: str) -> str:
        """Name of the translations that a variant with the consistency loss reads; runs may share one."""
        named = {self.built: "all"} | {tuple(v): k for k, v in self.config["language_sets"].items()}
        return "_to_".join(named.get(codes, "-".join(codes)) for codes in self.route_ends(model))

    def route_ends(self, model: str) -> tuple[Codes, Codes] | tuple[()]:
        """Languages of a variant's pairs and of its consistency loss; empty without that loss."""
        variant = self.variants[model]
        if not variant.consistent:
            return ()
        targets = self.recipes[variant.recipe]["mlc"]["languages"]
        return variant.languages, self.language_set(targets, f"recipe {variant.recipe!r}, mlc", built=True)

    def as_many_as(self, model: str) -> list[str]:
        """Languages whose number of pairs a variant takes of its own; none if it takes all."""
        recipe = self.variants[model].recipe
        found = self.recipes[recipe].get("pairs")
        return list(self.language_set(found["as_many_as"], f"recipe {recipe!r}, pairs", built=True)) if found else []

    @property
    def audited(self) -> list[tuple[str, str]]:
        """(model, benchmark) of the responses that annotators judge: on the test half of the dataset."""
        wanted = self.config["audit"]["models"]
        own = {b.benchmark for b in self.benchmarks.values() if b.source == "refuseu"}
        return [(m, b) for m, b in self.evaluations("harmful") if m in wanted and b in own]

    def asked(self, step: str, wildcards: Mapping[str, str]) -> Model:
        """The row that answers or judges in a job: what the config names for its step, or else its wildcards."""
        dataset, judging, fluency = (self.config[section] for section in ("dataset", "judging", "fluency"))
        match step:
            case "adjudicate" | "adjudicate_both":
                return self.models[judging["adjudicator"]]
            case "judge_fluency":
                return self.models[fluency["judge"]]
            case "answer_prompts":
                return self.models[dataset[wildcards["side"]]]
        return self.answering(
            next(wildcards[k] for k in ("judge", "generator", "base", "model") if k in wildcards.keys())
        )

    @property
    def template_files(self) -> dict[str, str]:
        """Template → its file: as in the config, or what its publisher wrote."""
        files: dict[str, str] = dict(self.config["templates"])
        if not self.config["judging"]["paraphrase"]:
            files |= {template: f"results/{self.name}/wording/{template}.txt" for template in pins()}
        return files

    def states_refusals(self, kind: str) -> str:
        """The guard that is read for whether it calls answers to benchmarks of a kind refusals; empty if none is."""
        judged = kind == "harmful" or (kind == "benign" and self.config["outcomes"]["benign"] == "guard")
        guards = self.config["judging"]["guards"] if judged else []
        return next((guard for guard in guards if FORMATS[self.models[guard].format].states_refusal), "")

    def reference_settings(self, base: str) -> dict[str, Any]:
        """What a base's reference log-probabilities depend on beside its weights."""
        return checks.reference_settings(self, base)
