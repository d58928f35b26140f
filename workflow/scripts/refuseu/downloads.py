"""Files from a web address: each is what its SHA-256 says, or none is there. For the asset rules alone."""

import hashlib
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import urlopen

from refuseu.errors import UserError
from refuseu.records import atomic

TIMEOUT = 60  # seconds


def download(url: str, files: Mapping[str, str], folder: str | Path, offline: bool) -> None:
    """Download files into a folder.

    Parameters
    ----------
    url : what stands before each file's name
    files : name, with folders, → SHA-256 in hex
    offline : whether the user allows no network

    Raises
    ------
    UserError
        If offline, a file cannot be had, or one is not the pinned one.
    """
    for name, digest in files.items():
        address = f"{url.rstrip('/')}/{quote(name)}"
        if offline:
            raise UserError(
                f"{address} has to be fetched and HF_HUB_OFFLINE is set; run this rule where there is network, or put "
                "the files into a folder and name that, with revision local"
            )
        try:
            with urlopen(address, timeout=TIMEOUT) as reply:
                data = reply.read()
        except HTTPError as error:
            raise UserError(f"{address} was refused: {error.code}; correct the address") from None
        except (OSError, HTTPException) as error:
            raise UserError(f"{address} could not be fetched ({error}); try again where there is network") from None
        if (found := hashlib.sha256(data).hexdigest()) != digest:
            raise UserError(
                f"{address} is not the pinned file: its SHA-256 is {found} and not {digest}; look at what changed, "
                "then correct the address or the digest"
            )
        with atomic(Path(folder, name)) as temporary:
            temporary.write_bytes(data)
