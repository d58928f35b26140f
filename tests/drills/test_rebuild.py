"""A bundle of the cut's results, rebuilt in a fresh clone: the same tables, figures, claims and report, no model."""

import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from refuseu.study.publishing import PAGES
from support.helpers import OFFLINE, ROOT


@pytest.fixture(scope="module")
def bundle(undisturbed):
    undisturbed.run("bundle")
    return undisturbed.results / "bundle/test.tar.gz"


@pytest.fixture
def clone(tmp_path):
    """A fresh clone of what is committed, with this environment."""
    folder = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", ROOT, folder], check=True)
    shutil.rmtree(folder / ".git")  # the cut's copy of the repository has no commit to name either
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


def rebuild(clone, bundle):
    secret = ("_KEY", "_TOKEN", "_PROXY", "_proxy")
    environ = {k: v for k, v in os.environ.items() if not k.endswith(secret) and k != "REFUSEU_WARM"}
    environ |= {"PYTHONPATH": str(OFFLINE), "HOME": str(clone.parent), "CUDA_VISIBLE_DEVICES": ""}
    command = ["make", "--old-file", ".venv/ready", "rebuild", f"BUNDLE={bundle}"]
    return subprocess.run(command, cwd=clone, env=environ, capture_output=True, text=True)


def texts(cut):
    """Words of prompts and answers in the results."""
    for path in [*cut.results.glob("generate/*/*.jsonl"), *cut.results.glob("split_pairs/*.jsonl")]:
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            yield from (row["prompt"], row.get("response", ""))


def test_the_bundle_has_no_prompt_and_no_answer(undisturbed, bundle):
    content = gzip.decompress(bundle.read_bytes()).decode(errors="replace")
    known = {text for text in texts(undisturbed) if len(text) > 15}
    assert len(known) > 500
    assert [text for text in known if text in content] == []
    check = ["sha256sum", "--check", "--quiet", "test.tar.gz.sha256"]
    assert subprocess.run(check, cwd=bundle.parent).returncode == 0


def test_the_bundle_made_once_more_is_the_same_bytes(undisturbed, bundle):
    before = bundle.read_bytes()
    undisturbed.run("bundle", "--forcerun", "bundle")
    assert bundle.read_bytes() == before


def test_a_fresh_clone_makes_the_same_bytes_from_it_and_asks_no_model(undisturbed, bundle, clone):
    ended = rebuild(clone, bundle)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    results = clone / "results/test"
    made = [*sorted((undisturbed.results / "tables").iterdir()), *sorted((undisturbed.results / "figures").iterdir())]
    made += [undisturbed.results / name for name in PAGES]
    names = [path.relative_to(undisturbed.results) for path in made]
    assert len(names) > 80
    assert [
        str(name) for name in names if (results / name).read_bytes() != (undisturbed.results / name).read_bytes()
    ] == []
    assert "files are byte for byte those of its maker" in ended.stdout and "Others" not in ended.stdout
    logs = {path.name for path in (results / "logs").iterdir()}
    assert not {"generate", "judge", "align", "measure", "load_benchmark", "leakage"} & logs
    assert {"table1", "fig3", "claims", "report", "compare"} <= logs
    again = rebuild(clone, bundle)
    assert again.returncode == 0, again.stderr


def test_another_claim_in_the_clone_is_named_and_a_damaged_bundle_is_one_sentence(bundle, clone, tmp_path):
    claims = clone / "config/claims.yaml"
    claims.write_text(
        claims.read_text(encoding="utf-8").replace("sentence: ", "sentence: Verily, ", 1), encoding="utf-8"
    )
    ended = rebuild(clone, bundle)
    assert ended.returncode == 2  # make's, of 1
    assert "Others: claims.csv" in ended.stdout and "config/claims.yaml is another" in ended.stdout
    damaged = shutil.copy(bundle, tmp_path / "damaged.tar.gz")
    content = Path(damaged).read_bytes()
    Path(damaged).write_bytes(content[:5000] + bytes(100) + content[5100:])
    ended = rebuild(clone, damaged)
    assert ended.returncode == 2 and "Traceback" not in ended.stderr
    assert [line for line in ended.stderr.splitlines() if line.startswith("refuseu: ")]
