"""The pins of each environment fit together: no pinned package asks for what another pin forbids."""

from importlib.metadata import PackageNotFoundError, distribution

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from support.helpers import ROOT

LINES = (ROOT / "requirements.lock").read_text().splitlines()
LOCK = {canonicalize_name(name): version for name, version in (line.split("==") for line in LINES)}
# Not in the lock, so not installed here: what they ask for cannot be checked.
ONLY_PAPER = {"fasttext-numpy2", "vllm"}


def pinned(name):
    """The packages that an environment pins."""
    whole = yaml.safe_load((ROOT / f"envs/{name}.yaml").read_text())["dependencies"]
    [packages] = [part["pip"] for part in whole if isinstance(part, dict)]
    return {canonicalize_name(package.split("==")[0]) for package in packages}


def asked_for(name):
    """What a package needs on this machine, without its extras."""
    try:
        needs = distribution(name).requires or []
    except PackageNotFoundError:
        pytest.fail(f"{name} is in requirements.lock and not installed; run make .venv/ready")
    for need in map(Requirement, needs):
        if not need.marker or need.marker.evaluate({"extra": ""}):
            yield need


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "envs").glob("*.yaml")))
def test_the_packages_of_an_environment_and_all_that_they_need_are_in_the_lock_and_agree(name):
    waiting, seen, wrong = [*(pinned(name) - ONLY_PAPER)], set(), []
    while waiting:
        if (package := waiting.pop()) in seen:
            continue
        seen.add(package)
        for need in asked_for(package):
            key = canonicalize_name(need.name)
            if key in ("pip", "setuptools", "wheel") or key.startswith(("nvidia-", "cuda-", "triton")):
                continue  # come with Python, or with the CUDA build of torch
            if key not in LOCK or not need.specifier.contains(LOCK[key], prereleases=True):
                wrong.append(f"{package} needs {need}, the lock has {LOCK.get(key)}")
            waiting.append(key)
    assert not wrong


def test_only_what_the_paper_alone_needs_is_outside_the_lock():
    outside = {package for path in (ROOT / "envs").glob("*.yaml") for package in pinned(path.stem) - set(LOCK)}
    assert outside == ONLY_PAPER


def test_the_lock_is_sorted_and_names_everything_once():
    assert [line.lower() for line in LINES] == sorted({line.lower() for line in LINES})
    assert len(LOCK) == len(LINES)
