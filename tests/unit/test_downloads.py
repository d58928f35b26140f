"""Files from a web address: the pinned ones, or none."""

import hashlib

import pytest

from refuseu.downloads import download
from refuseu.errors import UserError
from support.helpers import Drop, Server

CONTENT = {"/base/a.csv": b"id,text\n1,One\n", "/base/de/b%20c.csv": b"id,text\n1,Eins\n"}
PINNED = {"a.csv": CONTENT["/base/a.csv"], "de/b c.csv": CONTENT["/base/de/b%20c.csv"]}
DIGESTS = {name: hashlib.sha256(data).hexdigest() for name, data in PINNED.items()}


def reply(path, headers, body):
    return (200, CONTENT[path]) if path in CONTENT else (404, {})


def refused(*args):
    with pytest.raises(UserError) as error:
        download(*args)
    return str(error.value)


def test_files_are_fetched_into_their_folders(tmp_path):
    server = Server(reply)
    download(f"{server.url}/base/", DIGESTS, tmp_path / "here", offline=False)
    assert {name: (tmp_path / "here" / name).read_bytes() for name in PINNED} == PINNED
    assert len(server.requests) == 2


def test_a_file_that_is_not_the_pinned_one_is_not_written(tmp_path):
    server = Server(reply)
    message = refused(f"{server.url}/base", {"a.csv": "0" * 64}, tmp_path, False)
    assert message == (
        f"{server.url}/base/a.csv is not the pinned file: its SHA-256 is {DIGESTS['a.csv']} and not {'0' * 64}; "
        "look at what changed, then correct the address or the digest"
    )
    assert list(tmp_path.iterdir()) == []


def test_what_a_server_refuses_is_named_with_its_answer(tmp_path):
    server = Server(reply)
    expected = f"{server.url}/base/no.csv was refused: 404; correct the address"
    assert refused(f"{server.url}/base", {"no.csv": "0" * 64}, tmp_path, False) == expected


@pytest.mark.parametrize("in_the_middle", [False, True])
def test_a_connection_that_is_cut_leaves_nothing(tmp_path, in_the_middle):
    def cut(*_):
        raise Drop(in_the_middle)

    server = Server(cut)
    message = refused(server.url, {"a.csv": "0" * 64}, tmp_path, False)
    assert message.startswith(f"{server.url}/a.csv could not be fetched (")
    assert list(tmp_path.iterdir()) == []


def test_offline_nothing_is_asked(tmp_path):
    server = Server(reply)
    assert "HF_HUB_OFFLINE is set" in refused(server.url, DIGESTS, tmp_path, True)
    assert server.requests == []
