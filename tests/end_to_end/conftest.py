"""What runs for real, for the tests of several files: the miniature's three-language cut, and a SLURM."""

import pytest

from support.cut import Cut
from support.slurm import Slurm


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """A checkout in which the cut ran from scratch, once."""
    cut = Cut(tmp_path_factory.mktemp("undisturbed"))
    cut.run()
    return cut


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """A real SLURM."""
    cluster = Slurm(tmp_path_factory.mktemp("slurm"))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
