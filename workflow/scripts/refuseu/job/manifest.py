"""What a manifest records of the code and inputs behind a result."""

import subprocess

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
