"""Assets from outside: downloaded at a pinned revision, by the asset rules alone."""

import json
import os
from pathlib import Path

from refuseu.errors import UserError
from refuseu.records import write_text

# Weights come from safetensors, never from pickles or remote code.
MODEL_FILES = ["*.safetensors", "*.json", "*.jinja", "*.model", "*.txt", "model.bin"]


def fetch(kind: str, asset: dict[str, str], output: str | Path) -> None:
    """Download a snapshot into the hub's cache and write where it is.

    Parameters
    ----------
    kind : model or dataset
    asset : ``repository`` and ``revision`` (40 hex digits)

    Raises
    ------
    UserError
        If the hub refuses: a gated repository without token or licence, an unknown revision, no network.
    """
    os.environ["HF_HUB_OFFLINE"] = "0"
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, LocalEntryNotFoundError

    try:
        folder = snapshot_download(
            asset["repository"],
            revision=asset["revision"],
            repo_type=kind,
            allow_patterns=MODEL_FILES if kind == "model" else None,
        )
    except GatedRepoError:
        raise UserError(
            f"{asset['repository']} is gated; accept its licence on its page and set HF_TOKEN in the environment"
        ) from None
    except LocalEntryNotFoundError:
        raise UserError(
            f"{asset['repository']} is not in the cache and the hub cannot be reached; "
            "run this rule where there is network"
        ) from None
    except HfHubHTTPError as error:
        raise UserError(
            f"the hub refused {asset['repository']} at {asset['revision']}: {error.response.status_code}"
        ) from None
    write_text(output, json.dumps(asset | {"kind": kind, "folder": folder}) + "\n")


def located(note: str | Path) -> str:
    """The folder that a fetched asset's note points to."""
    return json.loads(Path(note).read_text(encoding="utf-8"))["folder"]
