"""A checkout without results, and the whole graph of each study in it, listed once."""

from functools import cache

import pytest

from support.helpers import Checkout
from support.studies import FIGURES, STOPS, STUDIES, TABLES


@pytest.fixture(scope="session")
def checkout(tmp_path_factory):
    return Checkout(tmp_path_factory.mktemp("workflow"))


@pytest.fixture(scope="session")
def whole(checkout):
    """The graph of a study with every named target, by the study's name; `needed` says what one of them needs."""

    @cache
    def graph(name):
        return checkout.graph("all", *STOPS, *TABLES, *FIGURES, "dataset_card", "answers", *STUDIES[name].profile)

    return graph
