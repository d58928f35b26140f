"""The house: which room may import what, no circle anywhere, and nothing too long."""

import ast
import json
import os
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter

from support.helpers import SCRIPTS

HOUSE = SCRIPTS / "refuseu"
# What each room may import beside itself; modules beside the rooms are "top".
MAY_IMPORT = {
    "top": set(),
    "job": {"top"},
    "backends": {"top", "job"},
    "dataset": {"top", "job", "backends"},
    "training": {"top", "job", "backends"},
    "evaluation": {"top", "job", "backends"},
    "intake": {"top"},
    "analysis": {"top"},
    "artifacts": {"top", "analysis"},
    "audit": {"top", "analysis", "artifacts"},
    "miniature": {"top", "job", "backends", "dataset", "training", "evaluation"},
    "study": {"top", "dataset", "training", "evaluation", "analysis", "artifacts"},
    "publish": {"top", "job", "analysis", "study"},
    "costs": {"top", "job", "dataset", "evaluation", "study"},
    "runner": {
        "top",
        "job",
        "backends",
        "dataset",
        "training",
        "evaluation",
        "analysis",
        "artifacts",
        "study",
        "costs",
    },
}
# Scripts whose subject is the study itself.
ABOUT_THE_STUDY = {"plan", "journal_report", "spending"}


def modules():
    """Name → file of every module of ours, with those of packages."""
    files = {file: ".".join(file.relative_to(SCRIPTS).with_suffix("").parts) for file in sorted(HOUSE.rglob("*.py"))}
    return {name.removesuffix(".__init__"): file for file, name in files.items()}


MODULES = modules()


def imports(file):
    """Modules of ours that a file imports, at its top, in a function, or for types only."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file} imports relatively"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {name if name in MODULES else node.module for name in names}
    return found & set(MODULES)


GRAPH = {name: imports(file) - {name} for name, file in MODULES.items()}


def room(module):
    first = module.split(".")[1] if "." in module else ""
    return first if (HOUSE / first / "__init__.py").is_file() and first else "top"


def test_every_room_is_in_the_table():
    assert {room(name) for name in MODULES} == set(MAY_IMPORT)


def test_a_room_imports_only_from_those_below_it():
    found = {
        f"{name} imports {other}"
        for name, others in GRAPH.items()
        for other in others
        if room(other) not in MAY_IMPORT[room(name)] | {room(name)}
    }
    assert found == set()


def test_no_import_goes_in_a_circle():
    graph, circles = {name: set(others) for name, others in GRAPH.items()}, set()
    while True:
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            circle = error.args[1]  # each is imported by the next
            circles.add(" ← ".join(circle))
            graph[circle[1]].discard(circle[0])
        else:
            break
    assert circles == set()


def test_a_script_knows_its_inputs_and_not_the_study():
    found = {
        f"{script.name} imports {name}"
        for script in SCRIPTS.glob("*.py")
        for name in imports(script)
        if room(name) in ("runner", "study", "costs") and script.stem not in ABOUT_THE_STUDY
    }
    assert found == set()


def test_no_module_has_more_than_300_lines_and_no_class_more_than_200():
    found = set()
    for name, file in MODULES.items():
        text = file.read_text(encoding="utf-8")
        if len(text.splitlines()) > 300:
            found.add(f"{name} is long")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef) and node.end_lineno - node.lineno >= 200:
                found.add(f"{name}.{node.name} is long")
    assert found == set()


HEAVY = {"torch", "transformers", "pandas", "matplotlib", "pyarrow", "scipy", "sklearn", "datasets"}
CODE = """
import json, sys
from importlib import import_module
for name in json.load(sys.stdin):
    import_module(name)
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def imported_with(names):
    command = [sys.executable, "-c", CODE]
    env = os.environ | {"PYTHONPATH": str(SCRIPTS)}
    ended = subprocess.run(command, env=env, input=json.dumps(names), capture_output=True, text=True, check=True)
    return set(json.loads(ended.stdout))


def test_what_a_dry_run_imports_is_light():
    found = imported_with([name for name in MODULES if room(name) in ("top", "job", "study", "costs", "runner")])
    assert "refuseu" in found
    assert {f"a dry run imports {name}" for name in found & HEAVY} == set()


def test_importing_the_package_has_no_effect_and_a_script_needs_next_to_nothing_before_its_main():
    assert not {"refuseu", "tqdm", "numpy", "yaml"} & imported_with([])
    assert not {"tqdm", "numpy", "yaml", "pickle", "subprocess"} & imported_with(["refuseu.job"])
    code = "import os; before = dict(os.environ); import refuseu; assert dict(os.environ) == before"
    subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": str(SCRIPTS)}, check=True)
