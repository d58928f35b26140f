"""Digest of the code behind a result: a script and the modules of ours that it imports."""

import ast
import subprocess
from collections.abc import Collection
from functools import cache
from pathlib import Path

from refuseu.records import digest, file_digest

SCRIPTS = Path(__file__).parents[2]
# These cannot change a result: how a job is started, logged and checked before it starts.
HOW_JOBS_RUN = (
    "errors",
    "job.environment",
    "job.start",
    "job.progress",
    "job.warm",
    "runner.preflight",
    "runner.provenance",
)
NEUTRAL = {f"refuseu.{name}" for name in HOW_JOBS_RUN}


def code_digest(script: str, without: Collection[str] = ()) -> str:
    """Digest of the syntax trees of a flat script and of everything of ours that it reaches.

    Comments, formatting and file times do not count; docstrings do.

    Parameters
    ----------
    without : modules of ours that this job would import, but has no use for
    """
    unused = {SCRIPTS / "refuseu" / f"{name}.py" for name in without}
    return digest(sorted(tree(path) for path in reached(SCRIPTS / Path(script).name, unused)))


def reached(path: Path, unused: Collection[Path] = ()) -> set[Path]:
    """The file and, transitively, the modules of ours that it imports, but for those unused."""
    found, waiting = set(unused), [path]
    while waiting:
        if (path := waiting.pop()) not in found:
            found.add(path)
            waiting += imported(path)
    return found - set(unused)


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def tree(path: Path) -> str:
    """Digest of the syntax tree of one file."""
    return digest(ast.dump(parsed(path)))


@cache
def imported(path: Path) -> tuple[Path, ...]:
    """Modules of ours that one file imports, at its top or inside a function."""
    names = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    ours = sorted(name for name in names - NEUTRAL if name.startswith("refuseu."))
    files = [SCRIPTS.joinpath(*name.split(".")).with_suffix(".py") for name in ours]
    files += [SCRIPTS.joinpath(*name.split("."), "__init__.py") for name in ours]
    return tuple(file for file in files if file.is_file())


def manifest(inputs: list[str]) -> dict[str, object]:
    """State of the repository and digests of the inputs, for a manifest."""
    return {"git": git_state(), "inputs": {path: file_digest(path) for path in inputs}}


def git_state() -> dict[str, object]:
    """Commit and whether the tree was dirty; empty outside a repository."""
    try:
        commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
        status = subprocess.run(["git", "status", "--porcelain"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return {}
    return {"commit": commit, "dirty": bool(status.strip())}
