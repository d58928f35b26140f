"""Files from a web address: the pinned ones, or none."""

import hashlib
import urllib.request

import pytest

from refuseu.assets import download_files
from refuseu.errors import UserError
from support.helpers import Drop, Server

URL = "https://example.org/base"
CONTENT = {"/base/a.csv": b"id,text\n1,One\n", "/base/de/b%20c.csv": b"id,text\n1,Eins\n"}
PINNED = {"a.csv": CONTENT["/base/a.csv"], "de/b c.csv": CONTENT["/base/de/b%20c.csv"]}
DIGESTS = {name: hashlib.sha256(data).hexdigest() for name, data in PINNED.items()}


@pytest.fixture
def serve(monkeypatch):
    """A server on this machine in the place of that address."""
    real = urllib.request.urlopen

    def start(reply=lambda path, headers, body: (200, CONTENT[path]) if path in CONTENT else (404, {})):
        server = Server(reply)

        def redirected(address, timeout):
            return real(address.replace("https://example.org", server.url), timeout=timeout)

        monkeypatch.setattr(urllib.request, "urlopen", redirected)
        return server

    return start


def refused(files, folder, offline=False):
    with pytest.raises(UserError) as error:
        download_files(URL, files, folder, offline)
    assert list(folder.iterdir()) == []
    return str(error.value)


def test_files_are_fetched_into_their_folders(tmp_path, serve):
    server = serve()
    download_files(f"{URL}/", DIGESTS, tmp_path / "here", offline=False)
    assert {name: (tmp_path / "here" / name).read_bytes() for name in PINNED} == PINNED
    assert len(server.requests) == 2


def test_a_file_that_is_not_the_pinned_one_is_not_written(tmp_path, serve):
    serve()
    assert refused({"a.csv": "0" * 64}, tmp_path) == (
        f"{URL}/a.csv has the sha256 {DIGESTS['a.csv']} and not {'0' * 64}; it is another file than the pinned one"
    )


def test_a_file_that_is_not_there_is_named(tmp_path, serve):
    serve()
    assert refused({"no.csv": "0" * 64}, tmp_path).startswith(f"{URL}/no.csv cannot be downloaded (")


@pytest.mark.parametrize("in_the_middle", [False, True])
def test_a_connection_that_is_cut_leaves_nothing(tmp_path, serve, in_the_middle):
    def cut(*_):
        raise Drop(in_the_middle)

    serve(cut)
    assert refused({"a.csv": "0" * 64}, tmp_path).startswith(f"{URL}/a.csv cannot be downloaded (")


def test_offline_nothing_is_asked(tmp_path, serve):
    server = serve()
    assert "HF_HUB_OFFLINE is set" in refused(DIGESTS, tmp_path, offline=True)
    assert server.requests == []
