"""What several tests share: the configs, the bundled texts, and a small HTTP server."""

import json
import threading
from copy import deepcopy
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config

ROOT = Path(__file__).parents[1]
CODES = ("en", "de", "fr", "it", "es", "pt", "pl", "cs", "sk", "sl", "lt", "lv")


def read_yaml(path):
    return deepcopy(_read(path))


@cache
def _read(path):
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


@pytest.fixture
def paper(monkeypatch):
    """The paper's config; sheets are found from the repository root."""
    monkeypatch.chdir(ROOT)
    return read_yaml("config/config.yaml")


@pytest.fixture
def miniature(paper):
    """The miniature's config, merged as Snakemake merges it."""
    config = deepcopy(paper)
    update_config(config, read_yaml("config/miniature/config.yaml"))
    return config


@pytest.fixture(scope="session")
def bundled():
    """The bundled texts by language."""
    return {code: read_yaml(f"resources/miniature/languages/{code}.yaml") for code in CODES}


class Server:
    """A loopback HTTP server. Each request is (path, headers, body); `reply` answers (status, JSON)."""

    def __init__(self, reply):
        self.requests = []
        outer, lock = self, threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                request = (self.path, dict(self.headers), body.decode())
                with lock:
                    outer.requests.append(request)
                status, answer = reply(*request)
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_POST = do_GET  # noqa: N815

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def paths(self, path):
        """The requests to one path."""
        return [request for request in self.requests if request[0] == path]


@pytest.fixture
def serve(monkeypatch):
    """Start servers that end with the test."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    servers = []

    def start(reply):
        servers.append(Server(reply))
        return servers[-1]

    yield start
    for server in servers:
        server.server.shutdown()
        server.server.server_close()
