"""A model that is loaded in no time, for the tests of several files."""

import pytest

from refuseu.backends import journaled
from support.loaded import Model


@pytest.fixture
def said(monkeypatch, tmp_path):
    """All that a model is told and does, in order."""
    monkeypatch.chdir(tmp_path)
    found = []
    monkeypatch.setattr(journaled, "open_backend", lambda *_: Model(found))
    return found
