"""Locks are what their requirements resolve to: of all tests these alone ask a package index."""

import subprocess
import sys

import pytest

from support.helpers import ROOT


@pytest.fixture
def online(install, monkeypatch, tmp_path):
    """An environment in which uv runs; without an index, the test is skipped."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    folder = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    try:
        install.uv(folder, "pip", "install", "--quiet", "--dry-run", "--no-deps", "sniffio")
    except subprocess.CalledProcessError:
        pytest.skip("no package index can be reached")
    return folder


def test_the_locks_are_what_their_requirements_resolve_to(lock, online):
    for name in lock.LOCKS:
        assert lock.resolve(online, name) == (ROOT / name).read_text().splitlines()


def test_the_lock_of_a_cluster_can_be_installed(install, online):
    install.install(online, ROOT / "requirements.gpu.lock", "--dry-run")
