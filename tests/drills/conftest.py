"""A SLURM, for the tests of several files."""

import pytest

from support.slurm import Slurm


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """A real SLURM."""
    cluster = Slurm(tmp_path_factory.mktemp("slurm"))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
