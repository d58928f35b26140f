"""Config and sheets of a study, read as typed rows: each fits its schema and speaks of known languages."""

from dataclasses import MISSING, fields
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from refuseu.analysis.runs import Labels
from refuseu.errors import UserError
from refuseu.languages import language, languages, members
from refuseu.schemas import (
    check,
    closest,
    duplicate,
    load_schema,
    read_tsv,
    read_yaml,
    refer,
)
from refuseu.study import declared
from refuseu.study.rows import Benchmark, Model, Variant
from refuseu.study.tables import read_table

Row = TypeVar("Row", Model, Variant, Benchmark)
Codes = tuple[str, ...]  # of languages
Recipe = dict[str, Any]  # section → its keys, or None


class Sheets:
    """What config and sheets say.

    Parameters
    ----------
    config : the merged configuration, as Snakemake hands it over
    source : the files it came from, for error messages

    Raises
    ------
    UserError
        On the first mistake found; one sentence with file, key or row, and cure.
    """

    def __init__(self, config: dict[str, Any], source: str):
        declared.check_templates(config, source)
        check(config, "config", source)
        self.source = source
        self.config = config
        self.name: str = config["study"]
        self.groups: dict[str, Codes] = {k: tuple(v) for k, v in config["languages"].items()}
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
        self.models = {row.model: row for row in self._rows("models", Model)}
        self.variants = {row.model: row for row in self._rows("variants", Variant)}
        self.benchmarks = {row.benchmark: row for row in self._rows("benchmarks", Benchmark)}
        self.tables = {
            row.benchmark: read_table(sheets["tables"], row)
            for row in self.benchmarks.values()
            if row.source == "table"
        }
        self.recipes = {
            name: load_recipe(Path(sheets["recipes"]) / f"{name}.yaml")
            for name in dict.fromkeys(variant.recipe for variant in self.variants.values())
        }

    def _rows(self, name: str, row_type: type[Row]) -> list[Row]:
        path = self.config["sheets"][name]
        columns = load_schema(name)["properties"]
        numbers = {k for k, column in columns.items() if column.get("type") == "integer"}
        rows = []
        named = [field.name for field in fields(row_type)]
        optional = [field.name for field in fields(row_type) if field.default is not MISSING]
        for number, row in enumerate(read_tsv(path, named, optional), start=2):
            where = f"{path}, line {number}"
            values: dict[str, Any] = {k: int(v) if k in numbers and v.isdigit() else v for k, v in row.items()}
            if "repository" in values:
                values["repository"] = values["repository"].replace("<study>", f"results/{self.name}")
            values = {k: v for k, v in values.items() if v != "" or k not in optional}
            declared.check_row(name, row, where)
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
        duplicate([row.benchmark if isinstance(row, Benchmark) else row.model for row in rows], path, "rows")
        return rows

    def language_set(self, text: str, where: str, built: bool = False, beyond: bool = False) -> Codes:
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
    def evaluated(self) -> dict[str, Labels]:
        """Every model under evaluation: id → its labels in ``metrics.csv``."""
        rows: dict[str, Labels] = {
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
        wanted = {*self.benchmarks[benchmark].models}
        return [model for model, names in self._names.items() if wanted & names]

    @cached_property
    def _names(self) -> dict[str, set[str]]:
        """Model under evaluation → what the sheet of benchmarks may call it."""
        own = {m.model: {m.model, "all", *m.roles} for m in self.models.values() if m.evaluated_as}
        return own | {v.model: {v.model, "all", v.variant} for v in self.variants.values()}

    def benchmarks_of(self, *kinds: str) -> list[str]:
        """Names of the benchmarks of these kinds, in sheet order."""
        return [b.benchmark for b in self.benchmarks.values() if b.kind in kinds]

    def evaluations(self, *kinds: str) -> list[tuple[str, str]]:
        """(model, benchmark) for all benchmarks of these kinds."""
        return [(m, b) for b in self.benchmarks_of(*kinds) for m in self.models_on(b)]

    def answering(self, model: str) -> Model:
        """The row of ``models.tsv`` whose weights answer for `model`: its own or its base's."""
        return self.models[self.variants[model].base if model in self.variants else model]

    def began(self, model: str) -> str:
        """The row of ``models.tsv`` that a model of the study's own was begun with; empty if with random weights."""
        made = self.config.get("miniature", {}).get("models", {})
        while model in made:
            model = made[model].get("start", "")
        return model

    @cached_property
    def trained_fully(self) -> list[str]:
        """Variants whose recipe has no adapter: all weights are trained."""
        return [v.model for v in self.variants.values() if not self.recipes[v.recipe].get("lora")]

    def accelerate(self, base: str) -> str | None:
        """The config with which ``accelerate launch`` trains on the GPUs of a base; None for one process."""
        gpus = self.models[base].gpus_for("align")
        return f"{self.config['sheets']['accelerate']}/{gpus}.yaml" if gpus > 1 else None


def load_recipe(path: Path, above: tuple[Path, ...] = ()) -> Recipe:
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
        merged[section] = None if values is None else (merged.get(section) or {}) | values
    return merged
