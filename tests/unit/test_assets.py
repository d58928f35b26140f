"""What comes from outside, without any network."""

import json
import subprocess
import sys
from contextlib import nullcontext

import pytest

from refuseu import assets
from refuseu.assets import MODEL_FILES, TWICE
from refuseu.errors import UserError
from support.helpers import SCRIPTS

REVISION = "5523ce30b9b6af59e95ade9c610b8b974412a6bb"
ASSET = {"repository": "NASK-PIB/RefusEU", "revision": REVISION}
FETCH = f"""
import sys, time
time.sleep = lambda _: None  # between the hub client's retries
from refuseu.assets import fetch, located
from refuseu.errors import UserError
from refuseu.job.environment import asked_offline
try:
    fetch("dataset", {ASSET!r}, sys.argv[1], asked_offline())
    print(located(sys.argv[1]))
except UserError as error:
    print(error)
"""


@pytest.fixture
def fetch(tmp_path):
    """Fetch in a process of its own, as a job does; the hub's address is a closed port of this machine."""

    def run(**environ):
        ended = subprocess.run(
            [sys.executable, "-c", FETCH, tmp_path / "note.json"],
            env={"PYTHONPATH": str(SCRIPTS), "HF_HOME": str(tmp_path / "hub"), "HF_ENDPOINT": "http://127.0.0.1:9",
                 "HF_HUB_DISABLE_TELEMETRY": "1"} | environ,
            capture_output=True, text=True,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.strip()

    return run


@pytest.fixture
def cached(tmp_path):
    folder = tmp_path / "hub/hub/datasets--NASK-PIB--RefusEU/snapshots" / REVISION
    folder.mkdir(parents=True)
    (folder / "README.md").write_text("rows")
    return folder


def test_no_weights_are_fetched_twice_in_two_formats():
    from huggingface_hub.utils import filter_repo_objects

    wanted = ["config.json", "model-00001-of-00002.safetensors", "model.safetensors.index.json", "tokenizer.json"]
    twice = ["consolidated.safetensors", "consolidated-00001-of-00002.safetensors", "original/model.safetensors"]
    others = ["original/consolidated.00.pth", "original/params.json", "metal/model.bin", "pytorch_model.bin", "a.py"]
    found = filter_repo_objects(wanted + twice + others, allow_patterns=MODEL_FILES, ignore_patterns=TWICE)
    assert list(found) == wanted


@pytest.mark.parametrize("offline", ["1", "true"])
def test_offline_the_cache_is_used(fetch, cached, tmp_path, offline):
    assert fetch(HF_HUB_OFFLINE=offline) == str(cached)
    assert json.loads((tmp_path / "note.json").read_text()) == ASSET | {"kind": "dataset", "folder": str(cached)}


def test_offline_without_the_data_one_sentence_says_how_to_get_it(fetch, tmp_path):
    said = fetch(HF_HUB_OFFLINE="1")
    assert said == (
        "NASK-PIB/RefusEU is not whole in the hub's cache and HF_HUB_OFFLINE is set; run this rule where there is "
        "network, or copy a cache filled there with: hf download NASK-PIB/RefusEU --repo-type dataset "
        f"--revision {REVISION}"
    )
    assert not (tmp_path / "note.json").exists()


def test_without_network_the_sentence_says_so(fetch):
    assert "is not whole in the hub's cache and the hub cannot be reached; run" in fetch()


def test_in_a_job_the_workflows_own_setting_is_not_the_users(fetch):
    # A job starts with the hubs offline; that the user did not ask for it is kept beside.
    assert "the hub cannot be reached" in fetch(HF_HUB_OFFLINE="1", REFUSEU_HF_HUB_OFFLINE="")
    assert "HF_HUB_OFFLINE is set" in fetch(HF_HUB_OFFLINE="1", REFUSEU_HF_HUB_OFFLINE="1")


@pytest.mark.parametrize(
    ("file", "taken"), [("model-1.safetensors", True), ("model.bin", True), ("pytorch_model.bin", False)]
)
def test_a_model_without_safetensors_is_refused_with_a_cure(tmp_path, monkeypatch, file, taken):
    """model.bin is fastText's."""
    (tmp_path / file).write_bytes(b"")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *_, **__: str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    said = r"has no safetensors weights; choose a revision or a copy .* save_pretrained"
    with nullcontext() if taken else pytest.raises(UserError, match=said):
        assets.fetch("model", ASSET, tmp_path / "note.json", True)
    assert (tmp_path / "note.json").exists() == taken
