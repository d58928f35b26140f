"""Fixtures that several tests share."""

import json
from copy import deepcopy

import pytest
from helpers import CODES, ROOT, Server, api_row, chat_completion, read_yaml
from hypothesis import settings
from snakemake.utils import update_config

# The first example may import a library; a slow machine is no failure.
settings.register_profile("no time limit", deadline=None)
settings.load_profile("no time limit")


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


@pytest.fixture
def serve(monkeypatch):
    """Start loopback servers that end with the test."""
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


@pytest.fixture
def remote(serve, monkeypatch):
    """A model behind a server: `remote(answer)` gives its row and the server; `answer` maps messages to text."""
    monkeypatch.setenv("OPENAI_API_KEY", "canary-key")

    def start(answer, format="chat"):
        server = serve(lambda _, __, body: (200, chat_completion(answer(json.loads(body)["messages"]))))
        return api_row(server.url, format), server

    return start


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """A row of models.tsv for a two-layer Llama with random weights, and its folder."""
    import torch

    from refuseu.tiny import new_model, train_tokenizer

    folder = tmp_path_factory.mktemp("tiny")
    texts = [
        text for code in ("en", "pl") for text in read_yaml(f"resources/miniature/languages/{code}.yaml")["refusals"]
    ]
    template = (ROOT / "resources/miniature/templates/chat.jinja").read_text(encoding="utf-8")
    tokenizer = train_tokenizer(texts, 400, template)
    torch.manual_seed(1)
    new_model(tokenizer, hidden=32, layers=2).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return {
        "model": "tiny", "format": "chat", "backend": "transformers", "repository": str(folder),
        "revision": "local", "dtype": "float32", "gpus": 0, "endpoint": "",
    }  # fmt: skip
