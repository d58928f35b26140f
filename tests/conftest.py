"""Fixtures that several tests share."""

import importlib.util
import json
import os
import runpy
from copy import deepcopy

import pytest
import yaml
from hypothesis import settings
from snakemake.utils import update_config

from support.cut import Cut
from support.helpers import CODES, OFFLINE, ROOT, TESTS, Server, api_row, chat_completion, new_tiny, read_yaml

# No test reaches another machine, nor do the processes that it starts.
runpy.run_path(str(OFFLINE / "sitecustomize.py"))
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(OFFLINE), os.environ.get("PYTHONPATH"))))

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
def of_envs(monkeypatch):
    """Import a script of envs/, which is no package."""
    monkeypatch.syspath_prepend(ROOT / "envs")

    def load(name):
        spec = importlib.util.spec_from_file_location(name, ROOT / f"envs/{name}.py")
        loaded = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(loaded)
        return loaded

    return load


@pytest.fixture
def install(of_envs):
    return of_envs("install")


@pytest.fixture
def lock(of_envs):
    return of_envs("lock")


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
    texts = [
        text for code in ("en", "pl") for text in read_yaml(f"resources/miniature/languages/{code}.yaml")["refusals"]
    ]
    return new_tiny(tmp_path_factory.mktemp("tiny"), texts, 400, hidden=32, layers=2)


@pytest.fixture(scope="session")
def lively_model(tiny_model, tmp_path_factory):
    """The tiny model with larger weights: what it says greedily depends on what it is asked."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = tmp_path_factory.mktemp("lively")
    model = AutoModelForCausalLM.from_pretrained(tiny_model["repository"], dtype=torch.float32)
    torch.manual_seed(2)
    for weights in model.parameters():
        if weights.dim() > 1:
            torch.nn.init.normal_(weights, std=0.3)
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(tiny_model["repository"]).save_pretrained(folder)
    return tiny_model | {"model": "lively", "repository": str(folder)}


@pytest.fixture(scope="session")
def adapter(tiny_model, tmp_path_factory):
    """A folder with a LoRA adapter of random weights for the tiny model."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    folder = tmp_path_factory.mktemp("adapter")
    torch.manual_seed(2)
    model = AutoModelForCausalLM.from_pretrained(tiny_model["repository"], dtype=torch.float32)
    config = LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM")
    get_peft_model(model, config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def stored(tiny_model, tmp_path_factory):
    """What rule reference writes of the pairs of `support.runs` under the tiny model."""
    from refuseu.training.logprobs import write_reference
    from refuseu.training.reference import reference
    from support.runs import PAIRS, SETTINGS

    folder = tmp_path_factory.mktemp("reference")
    write_reference(
        folder / "tiny.parquet", *reference(PAIRS, tiny_model, SETTINGS, folder / "j.jsonl", folder / "work")
    )
    return folder / "tiny.parquet"


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """A checkout in which the three-language cut of the miniature ran from scratch, once."""
    cut = Cut(tmp_path_factory.mktemp("undisturbed"))
    cut.run()
    return cut


@pytest.fixture
def two(tmp_path, monkeypatch):
    """The config of two processes on the CPU."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS), os.environ["PYTHONPATH"]]))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("TRL_EXPERIMENTAL_SILENCE", "1")
    config = {
        "compute_environment": "LOCAL_MACHINE", "distributed_type": "MULTI_GPU", "num_machines": 1, "num_processes": 2,
        "use_cpu": True, "mixed_precision": "no",
    }  # fmt: skip
    (tmp_path / "two.yaml").write_text(yaml.safe_dump(config))
    return str(tmp_path / "two.yaml")
