"""Habits of the house: where things are, how they are named, and what may import what."""

import ast
import re
import subprocess
import sys
from dataclasses import fields
from importlib.metadata import packages_distributions

import pytest
import yaml

from refuseu.artifacts.declared import ARTIFACTS
from refuseu.runner.provenance import counted
from support.helpers import ROOT, SCRIPTS

RULE_FILES = [ROOT / "Snakefile", *sorted((ROOT / "rules").glob("*.smk"))]
FLAT = sorted(SCRIPTS.glob("*.py"))
LIBRARY = sorted((SCRIPTS / "refuseu").rglob("*.py"))


def directive(body, name):
    """The first string of a directive of a rule."""
    found = re.search(rf'^ +{name}:\s*"([^"]+)"', body, re.MULTILINE)
    return found.group(1) if found else None


def read_rules():
    rules = {}
    for file in RULE_FILES:
        text = file.read_text(encoding="utf-8")
        for name, body in re.findall(r"^ *rule (\w+):\n((?:(?: .*)?\n)*)", text, re.MULTILINE):
            assert name not in rules
            rules[name] = body
    return rules


RULES = read_rules()
WORKING = {name: body for name, body in RULES.items() if "script:" in body}
TWINS = {
    name for path in (ROOT / "rules").glob("*.smk") for name in re.findall(r"use rule \w+ as (\w+)", path.read_text())
}
DRAWN = {artifact.target: artifact for artifact in ARTIFACTS if artifact.kind != "page"}  # rules/artifacts.smk


# Rules


def test_the_rules_are_found():
    assert len(WORKING) > 30
    assert set(RULES) - set(WORKING) == {
        "all", "pilot", "dataset", "models", "generations", "verdicts", "tables", "figures", "numbers",
        "judge_validation", "export", "export_unmeasured",
    }  # fmt: skip


@pytest.mark.parametrize("name", WORKING)
def test_rule_script_results_and_log_have_one_name(name):
    body = WORKING[name]
    script = "fetch_asset" if name.startswith("fetch_") else name
    assert directive(body, "script") == f"../workflow/scripts/{script}.py"
    assert directive(body, "log").startswith(f"<study>/logs/{name}/")
    paths = re.findall(r'"(<study>/[^"]+)"', body.split("output:")[1].split("log:")[0])
    assert paths
    # Final artifacts lie together.
    places = (f"<study>/{name}/", "<study>/tables/", "<study>/figures/", f"<study>/{name}.")
    assert all(path.startswith(places) or path == f"<study>/{name}" for path in paths)


@pytest.mark.parametrize("name", WORKING)
def test_every_rule_has_an_environment_that_is_there(name):
    environment = directive(WORKING[name], "conda")
    assert (ROOT / "rules" / environment).is_file()


def test_every_script_belongs_to_a_rule():
    used = {directive(body, "script").removeprefix("../workflow/scripts/") for body in WORKING.values()}
    assert used | {"table.py", "figure.py"} == {path.name for path in FLAT}


def test_a_rule_is_written_out_or_declared_once():
    assert len(DRAWN) > 25
    assert {artifact.target for artifact in ARTIFACTS if artifact.kind == "page"} < set(WORKING)
    assert set(DRAWN).isdisjoint(RULES)


def test_two_rules_never_write_the_same_file():
    paths = [
        path for body in WORKING.values()
        for path in re.findall(r'"(<study>/[^"]+)"', body.split("output:")[1].split("log:")[0])
    ]  # fmt: skip
    assert len(set(paths)) == len(paths)


@pytest.mark.parametrize("file", RULE_FILES, ids=lambda file: file.name)
def test_rules_run_scripts_and_hold_no_code_of_their_own(file):
    text = file.read_text(encoding="utf-8")
    assert not re.search(r"^\s*(run|shell|notebook|wrapper):", text, re.MULTILINE)
    assert "lambda" not in text
    if file.name != "common.smk":
        assert not re.search(r"^\s*def ", text, re.MULTILINE)


def test_the_snakefile_is_a_contents_page():
    assert len((ROOT / "Snakefile").read_text().splitlines()) <= 70


# Scripts


@pytest.mark.parametrize("path", FLAT, ids=lambda path: path.stem)
def test_a_script_is_short_and_has_one_function(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 40
    tree = ast.parse(text)
    assert ast.get_docstring(tree)
    defined = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef | ast.Lambda)]
    assert [node.name for node in defined] == ["main"]
    assert [ast.unparse(decorator) for decorator in defined[0].decorator_list] == ["script"]
    # The whole config is handed to scripts, too; what they take from there is not tracked.
    assert "snakemake.config" not in text


def test_no_script_has_the_name_of_a_module_that_others_import():
    taken = set(sys.stdlib_module_names) | set(packages_distributions())
    assert not {path.stem for path in FLAT} & taken
    assert "refuseu" not in taken


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: path.stem)
def test_every_module_of_the_library_says_what_it_is(path):
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


# Imports and environments


def third_party(path):
    """Top-level names that a file imports from others, at its top or inside a function."""
    names = set()

    def visit(node):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            return
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(path.read_text(encoding="utf-8")))
    tops = {name.partition(".")[0] for name in names}
    return tops - set(sys.stdlib_module_names) - {"refuseu"}


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


# Not in requirements.lock: only the paper's study uses it.
DISTRIBUTIONS = packages_distributions() | {"vllm": ["vllm"]}


def pins(lines):
    found = (re.fullmatch(r"([\w.-]+)==([\w.+]+)(?: +#.*)?", line.strip()) for line in lines)
    return {canonical(match.group(1)): match.group(2) for match in found if match}


def environment(name):
    [inner] = [d["pip"] for d in yaml.safe_load((ROOT / f"envs/{name}.yaml").read_text())["dependencies"]
               if isinstance(d, dict)]  # fmt: skip
    assert len(pins(inner)) == len(inner)  # everything is pinned
    return pins(inner)


def not_in(environment_, script, function=None):
    """What a script may import, by way of a drawing function, that an environment lacks."""
    # progress is reached through script, which is no part of a result, but is imported all the same.
    files = {*counted(script, (), function), *counted(SCRIPTS / "refuseu/job/progress.py", (), None)}
    imports = {top for file in files for top in third_party(file)}
    known = environment(environment_)
    return {top for top in imports if not {canonical(d) for d in DISTRIBUTIONS.get(top, [top])} & set(known)}


@pytest.mark.parametrize("name", WORKING)
def test_whatever_a_script_may_import_is_in_the_environment_of_its_rule(name):
    body = WORKING[name]
    script = (ROOT / "rules" / directive(body, "script")).resolve()
    assert not_in(directive(body, "conda").split("/")[-1].removesuffix(".yaml"), script) == set()


@pytest.mark.parametrize("target", DRAWN)
def test_whatever_draws_a_table_or_figure_is_in_its_environment(target):
    artifact = DRAWN[target]
    assert not_in("analysis", SCRIPTS / f"{artifact.kind}.py", artifact.function) == set()


BLOCKED = """
import sys

class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "transformers"):
            raise ImportError(f"{name} is heavy")

sys.meta_path.insert(0, Block())
"""


@pytest.mark.parametrize(
    "module",
    ["audit.sheet", "audit.returned", "study.study", "study.wiring", "records", "languages", "evaluation.guards",
     "evaluation.outcomes", "dataset.pairs", "dataset.requests", "analysis.metrics", "analysis.claims",
     "artifacts.tables", "artifacts.plots", "runner.preflight", "costs.spending", "costs.workload", "costs.plan"],
)  # fmt: skip
def test_light_modules_need_neither_torch_nor_transformers(module):
    subprocess.run(
        [sys.executable, "-c", f"{BLOCKED}import refuseu.{module}"], check=True, env={"PYTHONPATH": str(SCRIPTS)}
    )


# Schemas and recipes


def objects(schema, place=""):
    """Every part of a schema that describes a mapping."""
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield place, schema
        for key, inner in schema.items():
            yield from objects(inner, f"{place}/{key}")


SCHEMAS = sorted((ROOT / "workflow/schemas").glob("*.yaml"))


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name.split(".")[0])
def test_schemas_are_closed_and_every_key_is_described(path):
    schema = yaml.safe_load(path.read_text(encoding="utf-8"))
    for place, part in objects(schema):
        assert part.get("description"), place
        if "properties" in part:
            assert part.get("additionalProperties") is False, place
        elif path.name != "recipe.schema.yaml":  # sections of a recipe go to TRL and PEFT as they are
            assert isinstance(part.get("additionalProperties"), dict), place
        for key, inner in part.get("properties", {}).items():
            assert inner.get("description"), f"{place}/{key}"


RECIPES = sorted((ROOT / "config").rglob("recipes/*.yaml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: "/".join(path.parts[-3:]))
def test_recipes_use_the_fields_of_trl_and_peft(path):
    from peft import LoraConfig
    from trl import DPOConfig, SFTConfig
    from trl.experimental.cpo import CPOConfig
    from trl.experimental.orpo import ORPOConfig

    configs = {"dpo": DPOConfig, "mlc": DPOConfig, "sft": SFTConfig, "orpo": ORPOConfig, "simpo": CPOConfig}
    config = configs[path.stem.partition("_")[0]]
    recipe = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert set(recipe.get("trainer", {})) <= {field.name for field in fields(config)}
    assert set(recipe.get("lora") or {}) <= {field.name for field in fields(LoraConfig)}


@pytest.mark.parametrize("name", ["miniature", "pocket", "slurm"])
def test_a_profile_is_found_from_the_root(name):
    assert (ROOT / name / "profile.yaml").resolve() == ROOT / "profiles" / name / "profile.yaml"


def test_the_default_profile_holds_only_what_is_true_everywhere():
    default = yaml.safe_load((ROOT / "profiles/default/profile.yaml").read_text())
    assert not {"cores", "jobs", "resources", "default-resources", "set-resources", "executor"} & set(default)
    assert default["scheduler"] == "greedy"


def test_the_slurm_profile_names_only_rules_that_exist():
    slurm = yaml.safe_load((ROOT / "profiles/slurm/profile.yaml").read_text())
    assert set(slurm["set-resources"]) <= set(WORKING) | TWINS
    with_gpu = {name for name, body in WORKING.items() if re.search(r"^ +gpu=", body, re.MULTILINE)}
    assert with_gpu <= set(slurm["set-resources"])
