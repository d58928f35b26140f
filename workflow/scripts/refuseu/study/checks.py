"""What rows of a study say of each other, and whether it holds."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from refuseu.errors import UserError
from refuseu.evaluation.guards import FORMATS
from refuseu.recipes import check_recipe, scored
from refuseu.schemas import duplicate, load_schema, refer
from refuseu.study.rows import EVALUATED, Variant
from refuseu.study.sheets import Recipe, Sheets

# Fields of a DPO recipe on which the reference log-probabilities depend, as in refuseu.training.logprobs.
REFERENCE_SETTINGS = ("max_length", "bf16", "fp16", "ld_alpha")


def bases(sheets: Sheets) -> list[str]:
    """Models with role base."""
    return [model.model for model in sheets.models.values() if "base" in model.roles]


def check_variants(sheets: Sheets) -> None:
    """Bases of the runs can be trained, their recipes fit, and runs of one name differ in the seed alone."""
    paths = sheets.config["sheets"]
    first: dict[tuple[str, str], Variant] = {}
    for row in sheets.variants.values():
        refer(row.base, bases(sheets), paths["variants"], f"variant {row.variant!r}, column base",
              f"a model with role base in {paths['models']}")  # fmt: skip
        if sheets.models[row.base].backend == "openai":
            raise UserError(
                f"{paths['variants']}: variant {row.variant!r}, column base names {row.base!r}, whose backend in "
                f"{paths['models']} is 'openai', and what is behind an API cannot be trained; choose backend "
                "transformers or vllm, or take the variant out"
            )
        file = f"{paths['recipes']}/{row.recipe}.yaml"
        check_method(row, sheets.recipes[row.recipe], file)
        if scored(sheets.recipes[row.recipe]) and sheets.config["dataset"]["source"] != "build":
            raise UserError(
                f"{file}, key trainer.eval_strategy: the released dataset has no held-out pairs, only prompts; "
                "take the key out, or build the dataset (dataset.source)"
            )
        if (config := sheets.accelerate(row.base)) and not Path(config).is_file():
            gpus = sheets.models[row.base].gpus_for("align")
            raise UserError(
                f"{paths['models']}: model {row.base!r} is trained on {gpus} GPUs, and so many need {config}, which "
                "does not exist; write it like its neighbours, or change the column"
            )
        other = first.setdefault((row.base, row.variant), row)
        for column in ("languages", "method", "recipe"):
            if getattr(row, column) != getattr(other, column):
                raise UserError(
                    f"{paths['variants']}: {other.model!r} and {row.model!r} differ in {column}, and tables would "
                    "average them as seeds of one run; rename the variant of one"
                )
    names = dict.fromkeys(row.variant for row in sheets.variants.values())
    duplicate([*sheets.models, *names], paths["variants"], "variants and models")


def check_method(row: Variant, recipe: Recipe, file: str) -> None:
    """A recipe has what the method of a variant needs, and nothing that its trainer does not know."""
    check_recipe(row.objective, recipe, f"{file}:")
    if row.consistent and "mlc" not in recipe:
        raise UserError(
            f"{file} has no section mlc, which the method {row.method} of variant {row.variant!r} needs; add it or "
            "choose another recipe"
        )


def check_recipes(sheets: Sheets) -> None:
    """Consistency losses are whole and of known languages, and one reference serves all recipes of a base."""
    for recipe, content in sheets.recipes.items():
        file = f"{sheets.config['sheets']['recipes']}/{recipe}.yaml"
        if "mlc" in content:
            needed = load_schema("recipe")["properties"]["mlc"]["properties"]
            if missing := next((key for key in needed if key not in content["mlc"]), ""):
                raise UserError(
                    f"{file}, key mlc: the key {missing!r} is missing, here and in what it includes; add it"
                )
            sheets.language_set(content["mlc"]["languages"], f"{file}, mlc", built=True)
        if "pairs" in content:
            sheets.language_set(content["pairs"]["as_many_as"], f"{file}, pairs", built=True)
    for base in dict.fromkeys(row.base for row in sheets.variants.values() if row.objective == "dpo"):
        reference_settings(sheets, base)


def check_models(sheets: Sheets) -> None:
    """Models that other rows name exist, and can do what they are named for."""
    paths = sheets.config["sheets"]
    known = sorted({*EVALUATED, "all", *sheets.evaluated} | {variant.variant for variant in sheets.variants.values()})
    for benchmark in sheets.benchmarks.values():
        for name in benchmark.models:
            refer(name, known, paths["benchmarks"], f"benchmark {benchmark.benchmark!r}, column models",
                  "a role, a variant or a model")  # fmt: skip
    for name, on in sheets.evaluations("knowledge"):
        if sheets.answering(name).backend == "openai":
            raise UserError(
                f"{paths['benchmarks']}: benchmark {on!r}, column models takes in {name!r}, whose backend in "
                f"{paths['models']} is 'openai', and APIs give no log-likelihoods of options (kind knowledge); "
                "choose another backend or take the model out"
            )
    for row in sheets.models.values():
        if row.parameters and row.backend != "openai":
            raise UserError(
                f"{paths['models']}: model {row.model!r} has parameters, and only requests to a server have such "
                f"(backend openai), while its backend is {row.backend!r}; empty the cell or change the backend"
            )
        if row.base:
            itself = "base" in row.roles
            what = "the base itself" if itself else "a model with role base"
            known = [row.model] if itself else bases(sheets)
            refer(row.base, known, paths["models"], f"model {row.model!r}, column base", what)
    twins = [row.base for row in sheets.models.values() if "instruct" in row.roles]
    duplicate(twins, paths["models"], "bases of instruct models")


def check_own(sheets: Sheets) -> None:
    """Models that the study makes begin with weights that there are, or say how large they are."""
    made = sheets.config.get("miniature", {}).get("models", {})
    rows = {name for name, row in sheets.models.items() if row.backend != "openai"}
    for name, spec in made.items():
        where = f"key miniature.models.{name}"
        if "start" not in spec:
            for key in ("hidden", "layers"):
                if key not in spec:
                    raise UserError(f"{sheets.source}: {where} has neither start nor {key}; add one of them")
            if "lora" in spec:
                raise UserError(f"{sheets.source}: {where} has lora and no start, and adapters need weights; add it")
            continue
        refer(spec["start"], [*made, *rows], sheets.source, f"{where}.start",
              f"a model of miniature.models, or of {sheets.config['sheets']['models']} with weights")  # fmt: skip
        above, start = [name], spec["start"]
        while start in made:
            if start in above:
                circle = " → ".join([*above, start])
                raise UserError(f"{sheets.source}: {where} starts from itself, {circle}; take one start out")
            above.append(start)
            start = made[start].get("start", "")


def check_uses(sheets: Sheets) -> None:
    """Models that the config names exist, and can do what they are named for."""
    paths, dataset, judging = sheets.config["sheets"], sheets.config["dataset"], sheets.config["judging"]
    uses = {
        "dataset.generators.main": [dataset["generators"]["main"]],
        "dataset.generators.pilot": dataset["generators"]["pilot"],
        "dataset.prompt_judges": dataset["prompt_judges"],
        "dataset.chosen": [dataset["chosen"]],
        "dataset.rejected": [dataset["rejected"]],
        "judging.guards": judging["guards"],
        "judging.adjudicator": [judging["adjudicator"]],
        "judging.held_out": judging["held_out"],
        "fluency.judge": [sheets.config["fluency"]["judge"]],
    }
    formats: dict[str, Sequence[str]] = {"judging.adjudicator": ("classify",), "fluency.judge": ("rating",)}
    formats |= dict.fromkeys(("dataset.prompt_judges", "judging.guards", "judging.held_out"), tuple(FORMATS))
    for key, names in uses.items():
        for name in names:
            refer(name, sheets.models, sheets.source, f"key {key}", f"a model of {paths['models']}")
            if key in formats and sheets.models[name].format not in formats[key]:
                raise UserError(
                    f"{sheets.source}: key {key} names {name!r}, whose format in {paths['models']} is "
                    f"{sheets.models[name].format!r}; choose a model with format {' or '.join(formats[key])}"
                )
    check_fill(sheets)
    behind_apis = [m.model for m in sheets.models.values() if m.backend == "openai"]
    for name in sheets.config["api"]["batch"]:
        refer(name, behind_apis, sheets.source, "key api.batch",
              f"a model with backend openai in {paths['models']}")  # fmt: skip
    for key in ("judging.guards", "dataset.generators.main", "dataset.chosen", "dataset.rejected"):
        for name in set(uses[key]) & set(judging["held_out"]):
            raise UserError(
                f"{sheets.source}: key judging.held_out names {name!r}, which builds the data ({key}); "
                "choose a judge that has no part in it"
            )
    own = [b.benchmark for b in sheets.benchmarks.values() if b.source == "refuseu"]
    tested = list(dict.fromkeys(model for benchmark in own for model in sheets.models_on(benchmark)))
    for name in sheets.config["audit"]["models"]:
        refer(name, tested, sheets.source, "key audit.models",
              "a model evaluated on a benchmark with source refuseu")  # fmt: skip


def check_evaluated_languages(sheets: Sheets) -> None:
    """What is evaluated in a language alone is something."""
    for code in sheets.config["evaluation_only"]:
        if not any(code in row.languages for row in sheets.benchmarks.values()):
            raise UserError(
                f"{sheets.source}: key evaluation_only names {code!r}, which no benchmark of "
                f"{sheets.config['sheets']['benchmarks']} has; name it in the column languages of one that has data in "
                "it, or take it out here"
            )


def check_fill(sheets: Sheets) -> None:
    """The pilot measures the model that fills the dataset, and what is wanted can be had."""
    dataset = sheets.config["dataset"]
    if not (fill := dataset["fill"]) or dataset["source"] != "build":
        return
    main, per_category = dataset["generators"]["main"], dataset["split"]["per_category"]
    refer(main, dataset["generators"]["pilot"], sheets.source, "key dataset.generators.main",
          "in dataset.generators.pilot, where dataset.fill has to measure what becomes of its prompts")  # fmt: skip
    if fill["pairs"] <= per_category and dataset["split"]["if_short"] == "stop":
        raise UserError(
            f"{sheets.source}: key dataset.fill.pairs asks for {fill['pairs']} pairs of each category, of which the "
            f"test takes {per_category} (dataset.split.per_category) and leaves none to train on; raise it"
        )
    if fill["most"] < fill["pairs"]:
        raise UserError(
            f"{sheets.source}: key dataset.fill.most allows {fill['most']} prompts of each category, which are fewer "
            f"than the {fill['pairs']} pairs wanted (dataset.fill.pairs); raise it or lower those"
        )


def reference_settings(sheets: Sheets, base: str) -> dict[str, Any]:
    """What a base's reference log-probabilities depend on beside its weights.

    Raises
    ------
    UserError
        If two DPO recipes of the base differ in it: one reference could not serve both.
    """
    found: dict[str, dict[str, Any]] = {}
    for variant in sheets.variants.values():
        if variant.base == base and variant.objective == "dpo":
            trainer = sheets.recipes[variant.recipe].get("trainer", {})
            found[variant.recipe] = {k: trainer[k] for k in REFERENCE_SETTINGS if k in trainer}
    (first, settings), *others = found.items()
    for recipe, other in others:
        for key in REFERENCE_SETTINGS:
            if other.get(key) != settings.get(key):
                raise UserError(
                    f"{sheets.config['sheets']['recipes']}: the recipes {first} and {recipe} of base {base!r} differ "
                    f"in trainer.{key}, on which the shared reference log-probabilities depend; make them equal"
                )
    return settings
