"""A bundle from elsewhere, checked while it is read: nothing in it is believed before its digest fits."""

import gzip
import hashlib
import json
import re
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from refuseu.errors import UserError
from refuseu.publish.bundle import FORMAT, MANIFEST, VERSION, layouts

Manifest = Mapping[str, Any]
STUDY = re.compile(r"[a-z][a-z0-9_]*")
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*(/[A-Za-z0-9_][A-Za-z0-9_.+-]*)*")  # no folder above, nothing hidden
SHA256 = re.compile(r"[0-9a-f]{64}")
LONGEST = 64 * 2**20  # bytes of a manifest
PIECE = 2**20
AGAIN = "; fetch it again from where it was published, and compare its sha256 with the one given there"


def unpack(path: str | Path, results: Path) -> Manifest:
    """Put the files of a bundle into ``results/<study>`` and return its manifest.

    What an earlier unpacking of the same bundle left there stays as it is.

    Parameters
    ----------
    path : the archive
    results : folder of all studies' results

    Raises
    ------
    UserError
        If it is no bundle, damaged, of another version, or names what it must not; or if there are other results.
    """
    if not Path(path).is_file():
        raise UserError(f"there is no bundle {path}; give its path, as in make rebuild BUNDLE=my.tar.gz")
    try:
        with gzip.open(path) as zipped, tarfile.open(fileobj=zipped, mode="r|") as archive:
            members = iter(archive)
            about = read_manifest(path, archive, members)
            folder = results / about["study"]
            if folder.exists() and not same(folder, about):
                raise UserError(
                    f"{folder} holds other results, which a bundle must not mix with; move that folder away, or "
                    "rebuild in a fresh clone"
                )
            results.mkdir(parents=True, exist_ok=True)
            check_room(results, about)
            with tempfile.TemporaryDirectory(dir=results, prefix=".unpacking-") as temporary:
                read_files(path, archive, members, about, Path(temporary))
                while zipped.read(PIECE):  # to the archive's own checksum
                    pass
                if not folder.exists():
                    Path(temporary, "whole").rename(folder)
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UserError(f"{path} is no whole bundle of results ({error}){AGAIN}") from None
    return about


def read_manifest(path: str | Path, archive: tarfile.TarFile, members: Iterator[tarfile.TarInfo]) -> Manifest:
    """The manifest, which comes first."""
    first = next(members, None)
    study = first.name.partition("/")[0] if first else ""
    if not first or not first.isreg() or first.name != f"{study}/{MANIFEST}" or first.size > LONGEST:
        raise UserError(f"{path} does not begin with the manifest of a bundle; give a file that target bundle made")
    stream = archive.extractfile(first)
    assert stream
    try:
        about: Manifest = json.loads(stream.read())
        fits = plausible(about, study)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        fits = False
    if not fits:
        raise UserError(f"{path} has a manifest that no bundle has{AGAIN}")
    if about["version"] != VERSION:
        raise UserError(
            f"{path} is a bundle of version {about['version']}, and this code reads version {VERSION}; check out the "
            f"commit that made it, {commit(about)}"
        )
    if about["layouts"] != layouts(about["files"]):
        raise UserError(
            f"{path} holds rows of another layout than this code reads; check out the commit that made it, "
            f"{commit(about)}, and rebuild there"
        )
    return about


def plausible(about: Manifest, study: str) -> bool:
    """Whether a manifest names files below the results of a study, and nothing else."""
    files, rebuilt = about["files"], about["rebuilt"]
    folders = {str(folder) for name in files for folder in PurePosixPath(name).parents}
    return (
        about["format"] == FORMAT
        and about["study"] == study
        and bool(STUDY.fullmatch(study))
        and all(NAME.fullmatch(name) for name in [*files, *rebuilt])
        and folders.isdisjoint(files)
        and all(SHA256.fullmatch(facts["sha256"]) and type(facts["bytes"]) is int for facts in files.values())
        and all(SHA256.fullmatch(sha256) for sha256 in [*rebuilt.values(), *about["repository"].values()])
        and isinstance(about["redacted"], bool)
    )


def commit(about: Manifest) -> str:
    """Which code made a bundle, in words."""
    code = about.get("code") or {}
    return f"{code['commit'][:12]}{' with changes' * bool(code.get('dirty'))}" if code.get("commit") else "not known"


def check_room(folder: Path, about: Manifest) -> None:
    """Stop if the disk is too full for what the manifest announces."""
    needed, free = sum(facts["bytes"] for facts in about["files"].values()), shutil.disk_usage(folder).free
    if needed > free:
        raise UserError(f"the bundle unpacks to {needed:,} bytes and {folder} has room for {free:,}; free some")


def read_files(
    path: str | Path, archive: tarfile.TarFile, members: Iterator[tarfile.TarInfo], about: Manifest, folder: Path
) -> None:
    """Write the files that the manifest names, and nothing else, to ``folder/whole``."""
    waiting = dict(about["files"])
    for info in members:
        name = info.name.removeprefix(f"{about['study']}/")
        if name not in waiting or info.name == name or not info.isreg() or info.issparse():
            raise UserError(f"{path} has a member {info.name!r} that its manifest does not name as a file{AGAIN}")
        facts = waiting.pop(name)
        if info.size != facts["bytes"]:
            raise UserError(f"{path}: {name} has {info.size} bytes and should have {facts['bytes']}{AGAIN}")
        found, target = hashlib.sha256(), folder / "whole" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        stream = archive.extractfile(info)
        assert stream
        with open(target, "xb") as out:
            while piece := stream.read(PIECE):
                found.update(piece)
                out.write(piece)
        if found.hexdigest() != facts["sha256"]:
            raise UserError(f"{path}: {name} is not what its checksum says{AGAIN}")
    if waiting:
        raise UserError(f"{path} lacks {min(waiting)} and {len(waiting) - 1} more of its files{AGAIN}")
    manifest = folder / "whole" / MANIFEST
    manifest.parent.mkdir(parents=True, exist_ok=True)
    manifest.write_text(json.dumps(about), encoding="utf-8")


def same(folder: Path, about: Manifest) -> bool:
    """Whether a folder came from this very bundle."""
    try:
        return bool(json.loads((folder / MANIFEST).read_text(encoding="utf-8")) == about)
    except (OSError, ValueError):
        return False
