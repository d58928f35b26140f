"""What the benchmarks of inference share."""

import pytest

from support.helpers import ROOT, new_tiny


@pytest.fixture(scope="session")
def words():
    """Words to make prompts of."""
    return (ROOT / "config/README.md").read_text(encoding="utf-8").split()


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """A model too small to wait for."""
    text = (ROOT / "config/README.md").read_text(encoding="utf-8")
    return new_tiny(tmp_path_factory.mktemp("tiny"), [text], 1000, hidden=128, layers=2)
