"""Assets from outside: downloaded at a pinned revision, by the asset rules alone."""

import csv
import hashlib
import json
import os
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from urllib.parse import quote

from refuseu.errors import UserError
from refuseu.records import atomic, write_text
from refuseu.weights import CURE

# Weights come from safetensors, never from pickles or remote code.
WEIGHTS = ["*.safetensors", "model.bin"]  # the latter is fastText's own format, no pickle
MODEL_FILES = ["*.safetensors", "*.json", "*.jinja", "*.model", "*.txt", "model.bin"]
# The same weights once more, in the formats of those who trained them; a pattern's * also stands for slashes.
TWICE = ["consolidated*", "original/*", "metal/*"]
LICENCES = Path(__file__).parents[3] / "resources" / "model_licences.tsv"


def terms(asset: Mapping[str, str]) -> str:
    """A sentence on the terms under which a model comes, for whoever is about to download it."""
    with open(LICENCES, encoding="utf-8", newline="") as rows:
        known = {row["repository"]: row["licence"] for row in csv.DictReader(rows, delimiter="\t")}
    if licence := known.get(asset["repository"]):
        return f"{asset['repository']} comes under {licence}; whoever uses it agrees to that"
    return (
        f"the licence of {asset['repository']} is not recorded in {LICENCES.name}; read it where the model comes from"
    )


def fetch(kind: str, asset: dict[str, str], output: str | Path, offline: bool) -> None:
    """Download a snapshot into the hub's cache and write where it is; offline, find it there.

    Parameters
    ----------
    kind : model or dataset
    asset : ``repository`` and ``revision`` (40 hex digits)
    offline : whether the user allows no network

    Raises
    ------
    UserError
        If the hub refuses: a gated repository without token or licence, an unknown revision, no network;
        or if offline and the cache does not hold the whole snapshot.
    """
    os.environ["HF_HUB_OFFLINE"] = str(int(offline))
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, LocalEntryNotFoundError

    constants.HF_HUB_OFFLINE = offline  # it may have been imported before
    try:
        folder = snapshot_download(
            asset["repository"],
            revision=asset["revision"],
            repo_type=kind,
            allow_patterns=MODEL_FILES if kind == "model" else None,
            ignore_patterns=TWICE if kind == "model" else None,
            local_files_only=offline,
        )
    except GatedRepoError:
        raise UserError(
            f"{asset['repository']} is gated; accept its licence on its page and set HF_TOKEN in the environment"
        ) from None
    except LocalEntryNotFoundError:
        reason = "HF_HUB_OFFLINE is set" if offline else "the hub cannot be reached"
        raise UserError(
            f"{asset['repository']} is not whole in the hub's cache and {reason}; run this rule where there is "
            f"network, or copy a cache filled there with: hf download {asset['repository']} --repo-type {kind} "
            f"--revision {asset['revision']}"
        ) from None
    except HfHubHTTPError as error:
        raise UserError(
            f"the hub refused {asset['repository']} at {asset['revision']}: {error.response.status_code}"
        ) from None
    if kind == "model" and not any(file for name in WEIGHTS for file in Path(folder).glob(name)):
        raise UserError(
            f"{asset['repository']} at {asset['revision']} has no safetensors weights; choose a revision or a copy "
            f"that has some{CURE}"
        )
    write_text(output, json.dumps(asset | {"kind": kind, "folder": folder}) + "\n")


def download(source: str, sha256: str | None, offline: bool) -> bytes:
    """A file at a URL or a path, if its digest is the given one.

    Raises
    ------
    UserError
        If it is not there, cannot be reached or is another; if a URL comes without a digest.
    """
    if not source.startswith("https://"):
        if not Path(source).is_file():
            raise UserError(f"the file {source} does not exist; correct the key that names it")
        found = Path(source).read_bytes()
    elif offline or not sha256:
        raise UserError(
            f"{source} is to be downloaded, and {'HF_HUB_OFFLINE is set' if offline else 'its sha256 is not given'}; "
            "download it where there is network and give its path"
        )
    else:
        try:
            with urllib.request.urlopen(source, timeout=60) as answer:
                found = answer.read()
        except (OSError, HTTPException) as error:
            raise UserError(f"{source} cannot be downloaded ({type(error).__name__}); run this rule again") from None
    if sha256 and (own := hashlib.sha256(found).hexdigest()) != sha256:
        raise UserError(f"{source} has the sha256 {own} and not {sha256}; it is another file than the pinned one")
    return found


def download_files(url: str, files: Mapping[str, str], folder: str | Path, offline: bool) -> None:
    """Download files of a folder on the web into one here.

    Parameters
    ----------
    files : name, with folders, → SHA-256

    Raises
    ------
    UserError
        As `download` does; what came before stays.
    """
    for name, sha256 in files.items():
        content = download(f"{url.rstrip('/')}/{quote(name)}", sha256, offline)
        with atomic(Path(folder, name)) as temporary:
            temporary.write_bytes(content)


def excerpt(pin: Mapping[str, str], offline: bool) -> str:
    """A text inside a file that is pinned.

    Parameters
    ----------
    pin : source and sha256 of the file; what stands right before (``after``) and right after (``before``) the text in
        it; text_sha256

    Raises
    ------
    UserError
        If the file cannot be had, or it or the text in it is another than the pinned one.
    """
    _, _, rest = download(pin["source"], pin["sha256"], offline).decode("utf-8").partition(pin["after"])
    text, _, _ = rest.partition(pin["before"])
    if (found := hashlib.sha256(text.encode()).hexdigest()) != pin["text_sha256"]:
        raise UserError(
            f"the words between {pin['after']!r} and {pin['before']!r} in {pin['source']} have the sha256 {found} and "
            f"not {pin['text_sha256']}; correct the pin, or set judging.paraphrase and use words of your own"
        )
    return text


def located(note: str | Path) -> str:
    """The folder that a fetched asset's note points to."""
    folder: str = json.loads(Path(note).read_text(encoding="utf-8"))["folder"]
    return folder
