"""A bundle of results: one archive from which tables, figures, claims and report are made without a model.

Equal results give equal bytes (of the same Python and zlib): members are sorted and carry no time, owner or mode of
this machine. The first member, ``bundle/manifest.json``, names all others with their digests.
"""

import gzip
import io
import json
import platform
import tarfile
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, get_type_hints

import yaml

from refuseu.job.manifest import git_state
from refuseu.layouts import kinds
from refuseu.publish.redaction import anonymous, redacted
from refuseu.records import digest, file_digest, read_jsonl, write_jsonl, write_text

FORMAT, VERSION = "refuseu results bundle", 1
FOLDER = "bundle"
MANIFEST, CONFIG = f"{FOLDER}/manifest.json", f"{FOLDER}/config.json"
DRAWING = ("matplotlib", "numpy", "pandas", "scipy", "seaborn", "statsmodels")  # may change what is rebuilt
Files = dict[str, Path]  # name in the bundle → file


def collect(results: Path, carried: Iterable[str], reveal: bool, scratch: Path) -> Files:
    """The carried files as they go into the bundle.

    Parameters
    ----------
    results : ``results/<study>``
    carried : files below it
    reveal : whether texts stay
    scratch : folder for what is written anew
    """
    found: Files = {}
    for path in map(Path, carried):
        name = path.relative_to(results).as_posix()
        found[name] = path
        if path.suffix == ".jsonl" and not (reveal and layout(name)):
            rows = anonymous(read_jsonl(path))
            write_jsonl(scratch / name, rows if reveal else map(redacted, rows))
            found[name] = scratch / name
    return found


def describe(study: str, config: Mapping[str, Any], recipes: Mapping[str, Any], returned: bool, scratch: Path) -> Files:
    """The config and recipes as they were resolved, as files of the bundle.

    Parameters
    ----------
    returned : whether annotation sheets came back; a file stands for them, so that what they led to is shown
    """
    texts = {CONFIG: as_json(config)}
    texts |= {f"{FOLDER}/recipes/{name}.yaml": yaml.safe_dump(recipe) for name, recipe in recipes.items()}
    if returned:
        texts[f"{FOLDER}/returned/{study}/README"] = "Annotation sheets came back; they are not in this bundle.\n"
    for name, text in texts.items():
        write_text(scratch / name, text)
    return {name: scratch / name for name in texts}


def manifest(
    study: str, files: Files, rebuilt: Mapping[str, Path], repository: Iterable[str], reveal: bool
) -> dict[str, Any]:
    """What the bundle is and of which code; digests of what is in it, of what it leads to and of what else it needs.

    Parameters
    ----------
    rebuilt : what is made from it: name below the results → file
    repository : files of the repository that are read
    """
    return {
        "format": FORMAT,
        "version": VERSION,
        "study": study,
        "redacted": not reveal,
        "code": git_state(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in DRAWING},
        "layouts": layouts(files),
        "files": {name: {"sha256": file_digest(p), "bytes": p.stat().st_size} for name, p in sorted(files.items())},
        "rebuilt": {name: file_digest(path) for name, path in sorted(rebuilt.items())},
        "repository": {path: file_digest(path) for path in sorted(repository)},
    }


def layout(name: str) -> tuple[type, ...]:
    """What the rows of a file are; nothing if it is not declared."""
    try:
        return kinds(name)
    except LookupError:
        return ()


def layouts(files: Iterable[str]) -> str:
    """Digest of what stands in the rows of these files: another code that has it otherwise must not read them."""
    found = {kind for name in files for kind in layout(name)}
    return digest(sorted((kind.__name__, sorted(map(str, get_type_hints(kind).items()))) for kind in found))


def pack(path: Path, study: str, files: Files, about: Mapping[str, Any]) -> None:
    """Write the archive."""
    text = as_json(about).encode()
    with (
        open(path, "wb") as raw,
        gzip.GzipFile("", "wb", 9, raw, mtime=0) as zipped,  # no name, no time
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        archive.addfile(member(f"{study}/{MANIFEST}", len(text)), io.BytesIO(text))
        for name, file in sorted(files.items()):
            with open(file, "rb") as stream:
                archive.addfile(member(f"{study}/{name}", file.stat().st_size), stream)


def member(name: str, size: int) -> tarfile.TarInfo:
    """A member with the same owner, mode and time everywhere."""
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o644
    return info


def as_json(value: Any) -> str:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
