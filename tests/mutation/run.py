"""Which changes of the numeric core no test notices: mutmut over the modules below, with their tests.

``make mutation``, or ``python tests/mutation/run.py analysis/estimates`` for some of the modules.
Mutmut names a module by its path below ``src``, so it runs in a copy of the repository that has the package there.
"""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLACE = ROOT / ".mutation"  # with mutmut in `packages`
CORE = [
    "analysis/circularity", "analysis/claims", "analysis/comparisons", "analysis/confusion", "analysis/crosslingual",
    "analysis/dependence", "analysis/estimates", "analysis/intervals", "analysis/judge_error",
    "analysis/linguistic_distance", "analysis/metrics", "analysis/permutation", "analysis/seeds",
    "analysis/sensitivity", "analysis/variance", "analysis/verdict", "evaluation/outcomes", "training/mlc",
]  # fmt: skip
# By room. No simulations and no trainings: what they alone notice is noticed late.
TESTS = {
    "analysis": ["tests/unit/analysis"],
    "evaluation": ["tests/unit/evaluation/test_outcomes.py"],
    "training": ["tests/unit/training/test_mlc.py"],
}
LEFT_OUT = (
    ".git",
    ".venv",
    ".venv-engine",
    ".venv-docs",
    "_build",
    ".mutation",
    ".snakemake",
    ".pytest_cache",
    ".ruff_cache",
    ".mypy_cache",
    ".hypothesis",
    "__pycache__",
    "results",
)


def copy(modules: list[str]) -> Path:
    """The repository with the scripts in ``src`` and what lies beside them at the top, and what mutmut is told."""
    tree = PLACE / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(ROOT, tree, symlinks=True, ignore=shutil.ignore_patterns(*LEFT_OUT))
    (tree / "workflow/scripts").rename(tree / "src")
    (tree / "workflow/scripts").symlink_to("../src")
    beside = {path.name for path in (tree / "workflow").iterdir() if not (tree / path.name).exists()} - {"scripts"}
    for name in beside:
        (tree / name).symlink_to(f"workflow/{name}")
    rooms = {module.partition("/")[0] for module in modules}
    told = {
        "source_paths": ["src"],
        "only_mutate": [f"src/refuseu/{module}.py" for module in modules],
        "also_copy": [*beside, "tests", "config", "resources", "rules", "workflow", "envs", "pyproject.toml"],
        "pytest_add_cli_args": ["-p", "no:cacheprovider"],
        "pytest_add_cli_args_test_selection": [t for room, some in TESTS.items() if room in rooms for t in some],
    }
    settings = (tree / "pyproject.toml").read_text(encoding="utf-8").replace('"workflow/scripts"', '"src"')
    lines = [f"{key} = {value!r}" for key, value in told.items()]
    (tree / "pyproject.toml").write_text("\n".join([settings, "[tool.mutmut]", *lines, ""]), encoding="utf-8")
    return tree


def mutmut(tree: Path, *arguments: str, **more) -> subprocess.CompletedProcess:
    paths = os.pathsep.join(filter(None, (str(PLACE / "packages"), os.environ.get("PYTHONPATH"))))
    environ = os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, "-m", "mutmut", *arguments], cwd=tree, env=environ, text=True, **more)


def main(modules: list[str]) -> None:
    tree = copy(modules or CORE)
    mutmut(tree, "run")
    said = mutmut(tree, "results", "--all", "true", capture_output=True).stdout
    states: dict[str, Counter] = {}
    for mutant, state in re.findall(r"^ *(\S+): (.+)$", said, re.MULTILINE):
        if state != "not checked":
            states.setdefault(mutant.partition(".x")[0], Counter())[state] += 1
        if state in ("survived", "no tests"):
            sys.stdout.write(f"{mutant}: {state}\n")
    for module, counts in sorted(states.items()):
        noticed = counts["killed"] + counts["timeout"]
        sys.stdout.write(f"{module}: {noticed} of {counts.total()} noticed; {dict(counts)}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
