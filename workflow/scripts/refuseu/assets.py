"""Assets from outside: downloaded at a pinned revision, by the asset rules alone."""

import json
import os
from pathlib import Path

from refuseu.errors import UserError
from refuseu.records import write_text

# Weights come from safetensors, never from pickles or remote code.
MODEL_FILES = ["*.safetensors", "*.json", "*.jinja", "*.model", "*.txt", "model.bin"]


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
    write_text(output, json.dumps(asset | {"kind": kind, "folder": folder}) + "\n")


def located(note: str | Path) -> str:
    """The folder that a fetched asset's note points to."""
    folder: str = json.loads(Path(note).read_text(encoding="utf-8"))["folder"]
    return folder
