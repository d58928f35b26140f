"""Servers of others, as processes of their own."""

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager


@contextmanager
def serving(command, log, **environ):
    """Start a server that answers on a free port; its address, once it is healthy."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with open(log, "w") as out:
        server = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)],
            env=os.environ | environ,
            stdout=out,
            stderr=out,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        while not healthy(f"{url}/health"):
            assert server.poll() is None, log.read_text()[-4000:]
            time.sleep(0.2)
        yield url
    finally:
        server.terminate()
        server.wait()


def healthy(url):
    try:
        with urllib.request.urlopen(url):
            return True
    except (urllib.error.URLError, ConnectionError):
        return False
