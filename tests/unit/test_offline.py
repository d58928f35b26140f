"""No test can reach anything but this machine, nor can the processes that it starts."""

import asyncio
import socket
import subprocess
import sys
import urllib.request

import pytest

ELSEWHERE = "192.0.2.1"  # an address for documentation (RFC 5737): nobody answers there
REFUSED = "tests reach only this machine, not "


def test_only_this_machine_can_be_reached(serve):
    server = serve(lambda *_: (200, "here"))
    with urllib.request.urlopen(server.url) as reply:
        assert reply.read() == b'"here"'
    with socket.socket() as one, pytest.raises(OSError, match=REFUSED + ELSEWHERE):
        one.connect((ELSEWHERE, 80))
    for name in (ELSEWHERE, "huggingface.co"):
        with pytest.raises(OSError, match=REFUSED):
            socket.create_connection((name, 443), timeout=1)
        with pytest.raises(OSError, match=REFUSED):
            asyncio.run(asyncio.open_connection(name, 443))


def test_children_reach_no_more():
    code = f"import socket; socket.create_connection(({ELSEWHERE!r}, 80), timeout=1)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == 1 and REFUSED + ELSEWHERE in ended.stderr
