import pytest

from support.helpers import Checkout


@pytest.fixture(scope="session")
def checkout(tmp_path_factory):
    return Checkout(tmp_path_factory.mktemp("workflow"))
