"""The environment of every job, before anything heavy is imported."""

import os
import re

from refuseu.errors import UserError

# No job but the asset rules may reach a hub, and no library may phone home.
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
    "TOKENIZERS_PARALLELISM": "false",
    "TRL_EXPERIMENTAL_SILENCE": "1",
    "MPLBACKEND": "Agg",
}
ASKED = "REFUSEU_HF_HUB_OFFLINE"


def asked_offline() -> bool:
    """Whether the user, not this workflow, set ``HF_HUB_OFFLINE``."""
    asked = os.environ.get(ASKED, os.environ.get("HF_HUB_OFFLINE", ""))
    return asked.strip().upper() in ("1", "ON", "YES", "TRUE")


def prepare() -> None:
    """Set the hubs offline; what the user set himself stays."""
    # What the user asked for, which the asset rules obey; ours would hide it.
    os.environ.setdefault(ASKED, os.environ.get("HF_HUB_OFFLINE", ""))
    for name, value in OFFLINE.items():
        os.environ.setdefault(name, value)


def key(variable: str) -> str:
    """A key of an API from the environment, without what surrounds it; empty if there is none.

    Raises
    ------
    UserError
        If no HTTP header can hold it.
    """
    found = os.environ.get(variable, "").strip()
    if not re.fullmatch(r"[!-~]*", found):
        raise UserError(f"{variable} holds a blank or a character beyond ASCII; set it to the key alone")
    return found
