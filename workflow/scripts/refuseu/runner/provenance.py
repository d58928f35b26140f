"""Digest of the code behind a result: a script and the modules of ours that it imports."""

import hashlib
import json
import sys
from collections.abc import Collection, Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path

from refuseu.records import digest, write_text
from refuseu.runner import syntax
from refuseu.runner.syntax import Statement

SCRIPTS = Path(__file__).parents[2]
# These cannot change a result: how a job is started, logged, launched and checked before it starts. Rooms or modules.
NEUTRAL = ("refuseu.errors", "refuseu.job", "refuseu.runner")
# But this can: the journal hands out answers.
COUNTED = ("refuseu.job.journal",)
# What is known of files, by the digest of their bytes; where Snakemake keeps its own notes.
CACHE = Path(".snakemake/code_digests.json")


def code_digest(script: str, without: Collection[str] = (), function: str | None = None) -> str:
    """Digest of what runs in a flat script and in everything of ours that it reaches.

    Comments, docstrings, formatting, annotations of functions and file times do not count (see `syntax`).

    Parameters
    ----------
    without : modules of ours that this job would import, but has no use for: ``room/module``
    function : ``refuseu.room.module:name`` that the script calls by name; of its module, only what this function
        needs counts
    """
    unused = {SCRIPTS / "refuseu" / f"{name}.py" for name in without}
    parts = counted(SCRIPTS / Path(script).name, unused, function)
    return digest(sorted([path.relative_to(SCRIPTS).as_posix(), digests] for path, digests in parts.items() if digests))


def reached(path: Path, unused: Collection[Path] = ()) -> set[Path]:
    """The file and, transitively, the modules of ours that it imports, but for those unused."""
    return set(counted(path, unused, None))


def counted(script: Path, unused: Collection[Path], function: str | None) -> dict[Path, list[str]]:
    """Files that a script reaches, and the digests of the statements that count in each."""
    module, _, name = (function or "").partition(":")
    shared = module_file(module) if function else None
    wanted = {name} if function else set()
    done: set[Path] = set()
    waiting = [script, *([shared] if shared else [])]
    while waiting:
        file = waiting.pop()
        if file in done or file in unused:
            continue
        if file == shared:
            taken = needed(facts(file), wanted)
        else:
            done.add(file)
            taken = facts(file)
        for imported in {name for statement in taken for name in statement.imports}:
            for found, part in resolved(imported):
                if found != shared:
                    waiting.append(found)
                elif part is None:
                    shared = None  # the module as a whole
                    waiting.append(found)
                elif part not in wanted:
                    wanted.add(part)
                    waiting.append(found)
    parts = {file: facts(file) for file in done}
    if shared:
        parts[shared] = needed(facts(shared), wanted)
    return {file: [statement.digest for statement in taken] for file, taken in parts.items()}


def needed(module: list[Statement], names: Collection[str]) -> list[Statement]:
    """Statements of a module that these names of it need, and those that run for everybody."""
    if missing := set(names) - {name for statement in module for name in statement.binds}:
        raise LookupError(f"a module defines no {', '.join(sorted(missing))}")
    wanted = set(names)
    taken: set[int] = set()
    while new := [
        n for n, one in enumerate(module) if n not in taken and (not one.binds or not wanted.isdisjoint(one.binds))
    ]:
        taken.update(new)
        wanted.update(*(module[n].uses for n in new))
        if wanted & syntax.ANY_NAME:
            return module
    return [module[n] for n in sorted(taken)]


@cache
def resolved(imported: str) -> list[tuple[Path, str | None]]:
    """Files that an import runs, with the name that it takes from the last of them, if that is no module itself."""
    if imported.partition(".")[0] != "refuseu":
        return []
    names, part = imported, None
    if not module_file(names):
        names, _, part = names.rpartition(".")
    chain = [names.rsplit(".", n)[0] for n in range(names.count(".") + 1)]
    found = [
        (module_file(name), part if name == names and part != "*" else None) for name in chain if not neutral(name)
    ]
    return [(file, part) for file, part in found if file]


def neutral(module: str) -> bool:
    """Whether a module cannot change a result."""
    return module not in COUNTED and any(f"{module}.".startswith(f"{name}.") for name in NEUTRAL)


@cache
def module_file(module: str) -> Path | None:
    """The file of a module or package of ours."""
    path = SCRIPTS.joinpath(*module.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def facts(path: Path) -> list[Statement]:
    """Statements of one of our files."""
    return all_facts()[path]


@cache
def all_facts() -> dict[Path, list[Statement]]:
    """Statements of all our files: those of known bytes from the cache, the others parsed."""
    paths = [*SCRIPTS.glob("*.py"), *SCRIPTS.glob("refuseu/**/*.py")]
    # Where Emacs edits a file, a link beside it leads nowhere.
    files = {path: path.read_bytes() for path in paths if path.is_file()}
    keys = {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
    known = read_cache()
    fresh = {key: syntax.statements(files[path], str(path)) for path, key in keys.items() if key not in known}
    found = {path: (fresh if key in fresh else known)[key] for path, key in keys.items()}
    if fresh:
        write_cache({keys[path]: statements for path, statements in found.items()})
    return found


def algorithm() -> str:
    """How files are taken apart: this code, and the Python that parses them."""
    return digest(hashlib.sha256(Path(syntax.__file__).read_bytes()).hexdigest(), sys.version_info[:2])


def read_cache() -> dict[str, list[Statement]]:
    """What an earlier process found, if it found it in the same way; nothing if that cannot be read."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        kept = json.loads(CACHE.read_text(encoding="utf-8"))
        if kept["algorithm"] == algorithm():
            return {key: list(map(statement, rows)) for key, rows in kept["files"].items()}
    return {}


def statement(row: Iterable[str | list[str]]) -> Statement:
    own, *names = row
    return Statement(str(own), *map(tuple, names))


def write_cache(files: dict[str, list[Statement]]) -> None:
    """Keep what was found for the next process; that a folder cannot be written to must not matter."""
    with suppress(OSError):
        write_text(CACHE, json.dumps({"algorithm": algorithm(), "files": files}, separators=(",", ":")))
