"""What a manifest records of the code and inputs behind a result."""

import os
import platform
import subprocess
from pathlib import Path

from refuseu.records import file_digest


def manifest(inputs: list[str]) -> dict[str, object]:
    """State of the repository and digests of the inputs."""
    return {"git": git_state(), "inputs": {path: file_digest(path) for path in inputs}}


def git_state() -> dict[str, object]:
    """Commit and whether the tree was dirty; empty outside a repository."""
    try:
        commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
        status = subprocess.run(["git", "status", "--porcelain"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return {}
    return {"commit": commit, "dirty": bool(status.strip())}


def processor() -> str:
    """The processors of this machine in words; their kind, where the system does not name them."""
    known = Path("/proc/cpuinfo")
    lines = known.read_text(encoding="utf-8").splitlines() if known.exists() else []
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return f"{os.cpu_count()} cores of {names[0] if names else platform.processor() or platform.machine()}"
