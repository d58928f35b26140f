"""What several tests share beside fixtures."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager, suppress
from copy import deepcopy
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import yaml

from support.forks import Forks

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "workflow" / "scripts"
TESTS = ROOT / "tests"
OFFLINE = TESTS / "support" / "offline"  # on the path of a Python, it can reach this machine only
FORKS = Forks()
CODES = ("en", "de", "fr", "it", "es", "pt", "pl", "cs", "sk", "sl", "lt", "lv")


def read_yaml(path):
    return deepcopy(_read(path))


@cache
def _read(path):
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


class Drop(Exception):  # noqa: N818 (it is no error)
    """Raised by a `reply`: the connection ends before the answer, or in the middle of it."""

    def __init__(self, in_the_middle=False):
        self.in_the_middle = in_the_middle


class Drip(bytes):
    """A body that comes in twenty pieces, so many `seconds` in all."""

    seconds = 1.0


class Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        if not isinstance(sys.exception(), ConnectionError):  # the client may have gone
            super().handle_error(request, client_address)


class Server:
    """A loopback HTTP server. Each request is (path, headers, body); `reply` answers (status, JSON) or
    (status, JSON, further headers). Bytes in the place of JSON are sent as they are.

    `taking` is the number of requests that are still taken. At 0 all others are cut off unread, as if
    nobody listened, and are not among `requests` but counted in `turned_away`. None takes all.
    """

    def __init__(self, reply):
        self.requests = []
        self.taking, self.turned_away = None, 0
        outer, lock = self, threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                with lock:
                    if outer.taking == 0:
                        outer.turned_away += 1
                        self.close_connection = True
                        return
                    if outer.taking:
                        outer.taking -= 1
                with suppress(ConnectionError):  # the client may have gone
                    body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                    request = (self.path, {k.title(): v for k, v in self.headers.items()}, body.decode())
                    with lock:
                        outer.requests.append(request)
                    try:
                        (status, answer, *more), cut = reply(*request), False
                    except Drop as drop:
                        self.close_connection = True
                        if not drop.in_the_middle:
                            return
                        (status, answer, *more), cut = (200, {"half": "an answer"}), True
                    data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(data)))
                    for name, value in dict(*more).items():
                        self.send_header(name, value)
                    self.end_headers()
                    pieces = 20 if isinstance(data, Drip) else 1
                    whole = bytes(data[: len(data) // 2] if cut else data)
                    for piece in range(pieces):
                        self.wfile.write(whole[len(whole) * piece // pieces : len(whole) * (piece + 1) // pieces])
                        if pieces > 1:
                            time.sleep(data.seconds / pieces)

            do_POST = do_GET  # noqa: N815

            def log_message(self, *_):
                pass

        self.server = Listener(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def paths(self, path):
        """The requests to one path."""
        return [request for request in self.requests if request[0] == path]

    @property
    def chats(self):
        """Bodies of the chat requests."""
        return [json.loads(body) for _, _, body in self.paths("/v1/chat/completions")]


def chat_completion(text, finish_reason="stop"):
    """What an OpenAI-compatible server says."""
    choice = {"index": 0, "finish_reason": finish_reason, "message": {"role": "assistant", "content": text}}
    return {
        "id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice],
        "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
    }  # fmt: skip


def api_row(url, format="chat"):
    """A row of models.tsv for a model behind a server."""
    return {
        "model": "remote", "format": format, "backend": "openai", "repository": "remote-1", "revision": "api",
        "dtype": "auto", "gpus": 0, "endpoint": f"{url}/v1",
    }  # fmt: skip


def marked(*patterns):
    """Markers of one language: what refuses."""
    from refuseu.refusals import Markers, union

    return Markers(union(patterns), *[union(())] * 5, hints=())


class Checkout:
    """A fresh copy of the repository in which dry runs leave no trace; without network and keys."""

    def __init__(self, folder, origin=ROOT):
        self.folder = folder / "checkout"
        left_out = {
            "results",
            ".snakemake",
            ".venv",
            ".venv-engine",
            ".venv-docs",
            "_build",
            ".mutation",
            ".git",
            "__pycache__",
            ".pytest_cache",
            ".ruff_cache",
            "shared",
        }
        shutil.copytree(origin, self.folder, symlinks=True, ignore=lambda _, names: left_out & set(names))
        secret = ("_KEY", "_TOKEN", "_PROXY", "_proxy")
        self.environ = {k: v for k, v in os.environ.items() if not k.endswith(secret) and k != "REFUSEU_WARM"}
        self.environ |= {"PYTHONPATH": str(OFFLINE), "HOME": str(folder), "CUDA_VISIBLE_DEVICES": ""}

    def snakemake(self, *arguments):
        """A run of Snakemake and what it said; a dry run needs no process that imports it anew."""
        if "-n" in arguments:
            return FORKS.run(["--nolock", *arguments], self.folder, self.environ)
        return subprocess.run(
            [sys.executable, "-m", "snakemake", "--nolock", *arguments],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
        )

    def told(self):
        """All that Snakemake said of the runs in this checkout, also what no terminal shows."""
        logs = sorted((self.folder / ".snakemake/log").glob("*.snakemake.log"))
        return "".join(log.read_text(encoding="utf-8") for log in logs)

    def overlay(self, name, content):
        (self.folder / name).write_text(content if isinstance(content, str) else yaml.safe_dump(content))
        return name

    def jobs(self, *arguments):
        """Number of jobs per rule that a dry run lists."""
        ended = self.snakemake("-n", *arguments)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        found = re.search(r"^Job stats:\n(.*?)\n\n", ended.stdout + ended.stderr, re.MULTILINE | re.DOTALL)
        counts = dict(line.split() for line in found.group(1).splitlines()[2:])
        return {rule: int(n) for rule, n in counts.items() if rule != "total"}

    def planned(self, *arguments):
        """Every job that a dry run lists."""
        return set(self.graph(*arguments))

    def graph(self, *arguments):
        """Every job that a dry run lists: its rule and the values of its wildcards → its inputs and outputs."""
        ended = self.snakemake("-n", *arguments)
        said = ended.stdout + ended.stderr
        assert ended.returncode == 0, said
        jobs = {}
        for rule, body in re.findall(r"^(?:local)?rule (\w+):\n((?: {4}.*\n)*)", said, re.MULTILINE):
            given = dict(re.findall(r"^ {4}(\w+): (.*)$", body, re.MULTILINE))
            wildcards = [one.partition("=")[2] for one in given.get("wildcards", "").split(", ")]
            files = (given.get(key, "").split(", ") for key in ("input", "output"))
            jobs[" ".join(filter(None, [rule, *wildcards]))] = tuple({*filter(None, names)} for names in files)
        return jobs


def needed(graph, *targets):
    """The jobs of a whole study's graph that a run of these targets alone would have: themselves and all before."""
    makers = {name: job for job, (_, outputs) in graph.items() for name in outputs}
    found, waiting = set(), list(targets)
    while waiting:
        job = waiting.pop()
        if job not in found:
            found.add(job)
            waiting += [makers[name] for name in graph[job][0] if name in makers]
    return found


def counted(jobs):
    """Number of jobs per rule."""
    return dict(Counter(job.split()[0] for job in jobs))


def inside(function):
    """An edit that puts a statement into a function."""
    head = re.compile(rf"^def {function}\(.*?^    \"\"\".*?\"\"\"\n", re.MULTILINE | re.DOTALL)
    return lambda text: head.sub(lambda found: f"{found[0]}    new = 1\n", text)


def adopt(checkout, *arguments):
    """The documented command, without the tenth of a second that Snakemake sleeps for each job."""
    code = "import time; time.sleep = lambda _: None; from snakemake.cli import main; main()"
    command = [sys.executable, "-c", code, "--nolock", "--touch", "--forceall", "-c1000", *arguments]
    ended = subprocess.run(command, cwd=checkout.folder, env=checkout.environ, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr


class Finished(Checkout):
    """A checkout with a whole study in it: files of the right names, adopted as Snakemake adopts results."""

    def __init__(self, folder, *arguments, fill=True):
        super().__init__(folder)
        self.arguments = arguments
        if fill:
            self.fill()
            adopt(self, *arguments)

    def fill(self):
        """Write every output that the study lists."""
        self.all = self.graph(*self.arguments)
        for _, outputs in self.all.values():
            for name in outputs:
                file = self.folder / name / ("" if Path(name).suffix else "folder/made")
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(name)

    @contextmanager
    def edited(self, path, edit):
        """A text of the checkout, changed for a while."""
        file = self.folder / path
        before = file.read_text(encoding="utf-8")
        file.write_text(edit(before), encoding="utf-8")
        try:
            assert file.read_text(encoding="utf-8") != before
            yield
        finally:
            file.write_text(before, encoding="utf-8")

    def after(self, jobs):
        """These jobs and all that follow from them."""
        found, graph = set(), self.all
        makers = {name: job for job, (_, outputs) in graph.items() for name in outputs}
        users = {}
        for job, (inputs, _) in graph.items():
            for name in inputs:
                users.setdefault(makers.get(name), []).append(job)
        waiting = list(jobs)
        while waiting:
            if (job := waiting.pop()) not in found:
                found.add(job)
                waiting += users.get(job, [])
        return found


def keep(name, found):
    """Print what a benchmark found, and keep it."""
    text = json.dumps(found, indent=2) + "\n"
    target = ROOT / f"results/bench/{name}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
    sys.stdout.write(text)


def new_tiny(folder, texts, vocabulary, hidden, layers):
    """Save a Llama with random weights, its tokenizer trained on `texts`, and return its row of models.tsv."""
    import torch

    from refuseu.miniature.models import new_model, train_tokenizer

    template = (ROOT / "resources/miniature/templates/chat.jinja").read_text(encoding="utf-8")
    tokenizer = train_tokenizer(texts, vocabulary, template)
    torch.manual_seed(1)
    new_model(tokenizer, hidden=hidden, layers=layers).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return {
        "model": "tiny", "format": "chat", "backend": "transformers", "repository": str(folder),
        "revision": "local", "dtype": "float32", "gpus": 0, "endpoint": "",
    }  # fmt: skip
