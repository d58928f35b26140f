"""A study: config and sheets, read once, checked against each other, as typed rows."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from refuseu.errors import UserError
from refuseu.evaluation.guards import FORMATS
from refuseu.languages import language, languages, members
from refuseu.recipes import check_recipe
from refuseu.schemas import check, closest, duplicate, load_schema, read_tsv, read_yaml, refer

# Fields of a DPO recipe on which the reference log-probabilities depend, as in refuseu.training.logprobs.
REFERENCE_SETTINGS = ("max_length", "bf16", "fp16", "ld_alpha")
CLAIMS = "config/claims.yaml"
EVALUATED = ("base", "instruct", "open")  # roles
PINNED = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Model:
    """A row of ``models.tsv``: something that answers or judges.

    Attributes
    ----------
    model : id used everywhere in the study
    roles : what it may be used for (base, instruct, open, generator, guard, adjudicator, fluency_judge)
    base : the base model it belongs to, for `base` and `instruct` (empty otherwise)
    format : how it is addressed and read (chat, rating, or one of `guards.FORMATS`)
    backend : transformers, vllm or openai
    repository : hub id, local folder (``<study>`` is the study's results), or the name an API knows it by
    revision : 40-hex commit; ``local`` for a folder (its weights are hashed); ``api``
    dtype : torch dtype or auto
    gpus : GPUs that one job takes
    endpoint : URL of an OpenAI-compatible server (backend openai)
    """

    model: str
    roles: tuple[str, ...]
    base: str
    format: str
    backend: str
    repository: str
    revision: str
    dtype: str
    gpus: int
    endpoint: str
    note: str

    @property
    def evaluated_as(self) -> str:
        """Its role among those that are evaluated; empty if it has none."""
        return next((role for role in self.roles if role in EVALUATED), "")

    @property
    def local_endpoint(self) -> bool:
        """Whether the server is on this machine and needs no key."""
        return any(host in self.endpoint for host in ("//127.0.0.1", "//localhost"))


@dataclass(frozen=True)
class Variant:
    """A row of ``variants.tsv``: one training run; its model id is ``{base}-{variant}-s{seed}``."""

    variant: str
    base: str
    languages: tuple[str, ...]
    method: str
    recipe: str
    seed: int
    note: str

    @property
    def model(self) -> str:
        return f"{self.base}-{self.variant}-s{self.seed}"

    @property
    def objective(self) -> str:
        return self.method.partition("+")[0]

    @property
    def consistent(self) -> bool:
        """Whether the MLC loss is added."""
        return self.method.endswith("+mlc")


@dataclass(frozen=True)
class Benchmark:
    """A row of ``benchmarks.tsv``.

    Attributes
    ----------
    source : which loader reads it (refuseu, rtp_lx, polyglotox, questions, global_mmlu)
    kind : harmful, benign, knowledge or fluency
    parallel : ``yes`` if prompts whose ids differ in the language only are translations of each other, else empty
    mode : chat, continuation or multiple_choice
    models : roles and variants that are evaluated on it, or ``all``
    repository, revision : hub id and commit, a folder and ``local``, or nothing and ``dataset``
    """

    benchmark: str
    source: str
    kind: str
    languages: tuple[str, ...]
    parallel: str
    mode: str
    max_new_tokens: int
    models: tuple[str, ...]
    repository: str
    revision: str
    note: str


class Study:
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
        check(config, "config", source)
        self.source = source
        self.config = config
        self.name: str = config["study"]
        self.groups: dict[str, tuple[str, ...]] = {k: tuple(v) for k, v in config["languages"].items()}
        self.languages = tuple(members(self.groups))
        for code in config["evaluation_only"]:
            refer(code, self.languages, source, "key evaluation_only", "a language of the study")
        self.built = tuple(code for code in self.languages if code not in config["evaluation_only"])
        neighbours = config["language_identification"]["neighbours"]
        coded = config["dataset"]["translation"]["target_codes"]
        for code in (*self.languages, *neighbours, *coded, config["dataset"]["seed_language"]):
            language(code)
        duplicate(self.languages, source, "languages")
        sheets = config["sheets"]
        self.models = {row.model: row for row in self._sheet("models", Model)}
        self.variants = {row.model: row for row in self._sheet("variants", Variant)}
        self.benchmarks = {row.benchmark: row for row in self._sheet("benchmarks", Benchmark)}
        self.recipes = {
            name: load_recipe(Path(sheets["recipes"]) / f"{name}.yaml")
            for name in dict.fromkeys(variant.recipe for variant in self.variants.values())
        }
        self._check_variants()
        self._check_rows()
        self._check_uses()
        read_yaml(CLAIMS, "claims", "restore it: all studies share it")

    def language_set(self, text: str, where: str, built: bool = False, beyond: bool = False) -> tuple[str, ...]:
        """Languages behind ``all``, the name of a set, or codes joined by commas.

        Parameters
        ----------
        built : whether they must be languages of the dataset
        beyond : whether they may be outside the study
        """
        known = self.built if built else self.languages
        named = {"all": known} | {k: tuple(v) for k, v in self.config["language_sets"].items()}
        codes = named.get(text) or tuple(code.strip() for code in text.split(","))
        for code in codes:
            if built and code in self.config["evaluation_only"]:
                raise UserError(
                    f"{where}: {code!r} is among the languages that are only evaluated, so the dataset has none of it; "
                    f"take it out here or out of the key evaluation_only in {self.source}"
                )
            if code not in (languages() if beyond else self.languages):
                raise UserError(
                    f"{where}: {code!r} is neither a language of the study nor a language set"
                    f"{closest(code, [*self.languages, *named])}"
                )
        return codes

    @cached_property
    def routes(self) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
        """Translations that consistency losses need: name → languages of the pairs, languages of the loss."""
        return {self.route(model): ends for model in self.variants if (ends := self.route_ends(model))}

    def route(self, model: str) -> str:
        """Name of the translations that a variant with the consistency loss reads; runs may share one."""
        named = {self.built: "all"} | {tuple(v): k for k, v in self.config["language_sets"].items()}
        return "_to_".join(named.get(codes, "-".join(codes)) for codes in self.route_ends(model))

    def route_ends(self, model: str) -> tuple[tuple[str, ...], ...]:
        """Languages of a variant's pairs and of its consistency loss; empty without that loss."""
        variant = self.variants[model]
        if not variant.consistent:
            return ()
        targets = self.recipes[variant.recipe]["mlc"]["languages"]
        return variant.languages, self.language_set(targets, f"recipe {variant.recipe!r}, mlc", built=True)

    @cached_property
    def evaluated(self) -> dict[str, dict[str, Any]]:
        """Every model under evaluation: id → its labels in ``metrics.csv``."""
        rows = {
            m.model: {
                "model": m.model,
                "base": m.base,
                "variant": {"base": "abliterated", "instruct": "instruct"}.get(m.evaluated_as, m.model),
                "method": m.evaluated_as,
                "seed": "",
            }
            for m in self.models.values()
            if m.evaluated_as
        }
        return rows | {
            v.model: {
                "model": v.model,
                "base": v.base,
                "variant": v.variant,
                "method": v.method,
                "seed": v.seed,
            }
            for v in self.variants.values()
        }

    def models_on(self, benchmark: str) -> list[str]:
        """Ids of the models evaluated on a benchmark, in sheet order."""
        wanted = set(self.benchmarks[benchmark].models)

        def names(model: str) -> set[str]:
            if model in self.variants:
                return {model, self.variants[model].variant, "all"}
            return {model, *self.models[model].roles, "all"}

        return [model for model in self.evaluated if wanted & names(model)]

    def benchmarks_of(self, *kinds: str) -> list[str]:
        """Names of the benchmarks of these kinds, in sheet order."""
        return [b.benchmark for b in self.benchmarks.values() if b.kind in kinds]

    def evaluations(self, *kinds: str) -> list[tuple[str, str]]:
        """(model, benchmark) for all benchmarks of these kinds."""
        return [(m, b) for b in self.benchmarks_of(*kinds) for m in self.models_on(b)]

    @property
    def audited(self) -> list[tuple[str, str]]:
        """(model, benchmark) of the responses that annotators judge: on the test half of the dataset."""
        wanted = self.config["audit"]["models"]
        own = {b.benchmark for b in self.benchmarks.values() if b.source == "refuseu"}
        return [(m, b) for m, b in self.evaluations("harmful") if m in wanted and b in own]

    def answering(self, model: str) -> Model:
        """The row of ``models.tsv`` whose weights answer for `model`: its own or its base's."""
        return self.models[self.variants[model].base if model in self.variants else model]

    def asked(self, step: str, wildcards: Mapping[str, str]) -> Model:
        """The row that answers or judges in a job: what the config names for its step, or else its wildcards."""
        dataset, judging, fluency = (self.config[section] for section in ("dataset", "judging", "fluency"))
        match step:
            case "adjudicate":
                return self.models[judging["adjudicator"]]
            case "judge_fluency":
                return self.models[fluency["judge"]]
            case "answer_prompts":
                return self.models[dataset[wildcards["side"]]]
        return self.answering(
            next(wildcards[k] for k in ("judge", "generator", "base", "model") if k in wildcards.keys())
        )

    def accelerate(self, base: str) -> str | None:
        """The config with which ``accelerate launch`` trains on the GPUs of a base; None for one process."""
        gpus = self.models[base].gpus
        return f"{self.config['sheets']['accelerate']}/{gpus}.yaml" if gpus > 1 else None

    def reference_settings(self, base: str) -> dict[str, Any]:
        """What a base's reference log-probabilities depend on beside its weights.

        Raises
        ------
        UserError
            If two DPO recipes of the base differ in it: one reference could not serve both.
        """
        found: dict[str, dict[str, Any]] = {}
        for variant in self.variants.values():
            if variant.base == base and variant.objective == "dpo":
                trainer = self.recipes[variant.recipe].get("trainer", {})
                found[variant.recipe] = {k: trainer[k] for k in REFERENCE_SETTINGS if k in trainer}
        (first, settings), *others = found.items()
        for recipe, other in others:
            for key in REFERENCE_SETTINGS:
                if other.get(key) != settings.get(key):
                    raise UserError(
                        f"{self.config['sheets']['recipes']}: the recipes {first} and {recipe} of base {base!r} differ "
                        f"in trainer.{key}, on which the shared reference log-probabilities depend; make them equal"
                    )
        return settings

    def _sheet(self, name: str, row_type: type) -> list[Any]:
        path = self.config["sheets"][name]
        columns = load_schema(name)["properties"]
        numbers = {k for k, column in columns.items() if column.get("type") == "integer"}
        rows = []
        for number, row in enumerate(read_tsv(path, [f.name for f in fields(row_type)]), start=2):
            where = f"{path}, line {number}"
            values: dict[str, Any] = {k: int(v) if k in numbers and v.isdigit() else v for k, v in row.items()}
            if "repository" in values:
                values["repository"] = values["repository"].replace("<study>", f"results/{self.name}")
            check(values, name, where)
            for key in ("roles", "models"):
                if key in values:
                    values[key] = tuple(part.strip() for part in values[key].split(","))
            if "languages" in values:
                built = name == "variants" or values.get("source") == "refuseu"
                beyond = values.get("kind") == "knowledge"  # Korean, in the paper
                values["languages"] = self.language_set(
                    values["languages"], f"{where}, column languages", built, beyond
                )
            rows.append(row_type(**values))
        keys = [getattr(row, "model", None) or row.benchmark for row in rows]
        duplicate(keys, path, "rows")
        return rows

    @cached_property
    def _bases(self) -> list[str]:
        return [m.model for m in self.models.values() if "base" in m.roles]

    def _check_variants(self) -> None:
        """Bases of the runs exist, recipes fit methods and GPUs, and runs of one name differ in the seed alone."""
        sheets = self.config["sheets"]
        first: dict[tuple[str, str], Variant] = {}
        for row in self.variants.values():
            refer(row.base, self._bases, sheets["variants"], f"variant {row.variant!r}, column base",
                  f"a model with role base in {sheets['models']}")  # fmt: skip
            if self.models[row.base].backend == "openai":
                raise UserError(
                    f"{sheets['variants']}: variant {row.variant!r}, column base names {row.base!r}, whose backend in "
                    f"{sheets['models']} is 'openai', and what is behind an API cannot be trained; choose backend "
                    "transformers or vllm, or take the variant out"
                )
            if not self.recipes[row.recipe].get("lora"):
                raise UserError(
                    f"{sheets['recipes']}/{row.recipe}.yaml has no section lora, and models are evaluated as adapters "
                    f"on their base; add it or choose another recipe for variant {row.variant!r}"
                )
            check_recipe(row.objective, self.recipes[row.recipe], f"{sheets['recipes']}/{row.recipe}.yaml:")
            if (config := self.accelerate(row.base)) and not Path(config).is_file():
                raise UserError(
                    f"{sheets['models']}: model {row.base!r} takes {self.models[row.base].gpus} GPUs, and to train on "
                    f"so many needs {config}, which does not exist; write it like its neighbours, or change the column"
                )
            if row.consistent and "mlc" not in self.recipes[row.recipe]:
                raise UserError(
                    f"{sheets['recipes']}/{row.recipe}.yaml has no section mlc, which the method "
                    f"{row.method} of variant {row.variant!r} needs; add it or choose another recipe"
                )
            other = first.setdefault((row.base, row.variant), row)
            for column in ("languages", "method", "recipe"):
                if getattr(row, column) != getattr(other, column):
                    raise UserError(
                        f"{sheets['variants']}: {other.model!r} and {row.model!r} differ in {column}, and tables would "
                        "average them as seeds of one run; rename the variant of one"
                    )
        names = dict.fromkeys(row.variant for row in self.variants.values())
        duplicate([*self.models, *names], sheets["variants"], "variants and models")
        for recipe, content in self.recipes.items():
            file = f"{sheets['recipes']}/{recipe}.yaml"
            if "mlc" in content:
                needed = load_schema("recipe")["properties"]["mlc"]["properties"]
                if missing := next((key for key in needed if key not in content["mlc"]), ""):
                    raise UserError(
                        f"{file}, key mlc: the key {missing!r} is missing, here and in what it includes; add it"
                    )
                self.language_set(content["mlc"]["languages"], f"{file}, mlc", built=True)
        for base in dict.fromkeys(row.base for row in self.variants.values() if row.objective == "dpo"):
            self.reference_settings(base)

    def _check_rows(self) -> None:
        """Models that other rows name exist, and can do what they are named for."""
        sheets = self.config["sheets"]
        known = {*EVALUATED, "all", *self.evaluated}
        known |= {v.variant for v in self.variants.values()}
        for row in self.benchmarks.values():
            for name in row.models:
                refer(name, sorted(known), sheets["benchmarks"], f"benchmark {row.benchmark!r}, column models",
                      "a role, a variant or a model")  # fmt: skip
        for model, benchmark in self.evaluations("knowledge"):
            if self.answering(model).backend == "openai":
                raise UserError(
                    f"{sheets['benchmarks']}: benchmark {benchmark!r}, column models takes in {model!r}, whose backend "
                    f"in {sheets['models']} is 'openai', and APIs give no log-likelihoods of options (kind knowledge); "
                    "choose another backend or take the model out"
                )
        for row in self.models.values():
            if row.base:
                itself = "base" in row.roles
                what = "the base itself" if itself else "a model with role base"
                bases = [row.model] if itself else self._bases
                refer(row.base, bases, sheets["models"], f"model {row.model!r}, column base", what)
        twins = [row.base for row in self.models.values() if "instruct" in row.roles]
        duplicate(twins, sheets["models"], "bases of instruct models")

    def _check_uses(self) -> None:
        """Models that the config names exist, and can do what they are named for."""
        sheets, dataset, judging = self.config["sheets"], self.config["dataset"], self.config["judging"]
        uses = {
            "dataset.generators.main": [dataset["generators"]["main"]],
            "dataset.generators.pilot": dataset["generators"]["pilot"],
            "dataset.prompt_judges": dataset["prompt_judges"],
            "dataset.chosen": [dataset["chosen"]],
            "dataset.rejected": [dataset["rejected"]],
            "judging.guards": judging["guards"],
            "judging.adjudicator": [judging["adjudicator"]],
            "judging.held_out": judging["held_out"],
            "fluency.judge": [self.config["fluency"]["judge"]],
        }
        formats = {"judging.adjudicator": ("classify",), "fluency.judge": ("rating",)}
        formats |= dict.fromkeys(("dataset.prompt_judges", "judging.guards", "judging.held_out"), FORMATS)
        for key, names in uses.items():
            for name in names:
                refer(name, self.models, self.source, f"key {key}", f"a model of {sheets['models']}")
                if key in formats and self.models[name].format not in formats[key]:
                    raise UserError(
                        f"{self.source}: key {key} names {name!r}, whose format in {sheets['models']} is "
                        f"{self.models[name].format!r}; choose a model with format {' or '.join(formats[key])}"
                    )
        behind_apis = [m.model for m in self.models.values() if m.backend == "openai"]
        for name in self.config["api"]["batch"]:
            refer(name, behind_apis, self.source, "key api.batch",
                  f"a model with backend openai in {sheets['models']}")  # fmt: skip
        for key in ("judging.guards", "dataset.generators.main", "dataset.chosen", "dataset.rejected"):
            for name in set(uses[key]) & set(judging["held_out"]):
                raise UserError(
                    f"{self.source}: key judging.held_out names {name!r}, which builds the data ({key}); "
                    "choose a judge that has no part in it"
                )
        own = [b.benchmark for b in self.benchmarks.values() if b.source == "refuseu"]
        tested = list(dict.fromkeys(model for benchmark in own for model in self.models_on(benchmark)))
        for name in self.config["audit"]["models"]:
            refer(name, tested, self.source, "key audit.models",
                  "a model evaluated on a benchmark with source refuseu")  # fmt: skip


def load_recipe(path: Path, above: tuple[Path, ...] = ()) -> dict[str, Any]:
    """A recipe with its ``include`` merged in, section by section.

    Parameters
    ----------
    above : recipes that include it, the nearest last

    Raises
    ------
    UserError
        If a file is missing, includes itself, is no YAML or breaks the schema of recipes.
    """
    named = f"key include of {above[-1]}" if above else "variant's column recipe"
    recipe = read_yaml(path, "recipe", f"create it or correct the {named}") or {}
    if "include" not in recipe:
        return recipe
    above, included = (*above, path), path.with_name(recipe.pop("include"))
    if included in above:
        circle = " → ".join(file.name for file in (*above[above.index(included) :], included))
        raise UserError(f"{path}, key include: recipes include each other in a circle, {circle}; take one include out")
    merged = load_recipe(included, above)
    for section, values in recipe.items():
        merged[section] = merged.get(section, {}) | values
    return merged
