"""What is checked before the first job."""

import os
import shutil
import signal
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from refuseu.runner import preflight


@pytest.mark.parametrize("key", [None, "", " ", "\n"])
def test_a_key_that_is_blank_is_missing(monkeypatch, key):
    monkeypatch.delenv("DEEPL_AUTH_KEY", raising=False)
    if key is not None:
        monkeypatch.setenv("DEEPL_AUTH_KEY", key)
    said = r"translation needs a key; set DEEPL_AUTH_KEY in the environment, .* \(see docs/howto/paper_study.md\)"
    with pytest.raises(SystemExit, match=said):
        preflight.require("DEEPL_AUTH_KEY", "translation")


@pytest.mark.parametrize("key", ["a b", "klucz-ł", "a\nb"])
def test_a_key_that_no_header_can_hold_stops_before_the_first_job(monkeypatch, key):
    monkeypatch.setenv("DEEPL_AUTH_KEY", key)
    with pytest.raises(SystemExit) as stopped:
        preflight.require("DEEPL_AUTH_KEY", "translation")
    assert str(stopped.value) == (
        "refuseu: DEEPL_AUTH_KEY holds a blank or a character beyond ASCII; set it to the key alone"
    )


def test_a_key_with_a_line_end_will_do(monkeypatch):
    monkeypatch.setenv("DEEPL_AUTH_KEY", "key:fx\n")
    preflight.require("DEEPL_AUTH_KEY", "translation")


def test_interrupts_are_left_alone_outside_the_main_thread():
    before = signal.getsignal(signal.SIGINT)
    with ThreadPoolExecutor() as threads:
        threads.submit(preflight.watch_interrupts).result()
    assert signal.getsignal(signal.SIGINT) is before


@pytest.fixture
def open_folder():
    """A folder that everybody may enter."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize(("readers", "mode"), [("owner", 0o700), ("group", 0o750), ("everyone", 0o755)])
def test_the_results_are_opened_to_those_whom_the_config_names_and_a_group_stays_inherited(open_folder, readers, mode):
    results = open_folder / "results/mine"
    for before in (None, 0o2777, 0o2700):
        if before:
            results.chmod(before)
        preflight.keep_to(readers, results)
        assert results.stat().st_mode & 0o777 == mode
        assert results.stat().st_mode & 0o2000 == (before or 0) & 0o2000


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
@pytest.mark.parametrize(("readers", "refused"), [("owner", True), ("everyone", False)])
def test_nobody_else_reads_what_a_job_or_an_earlier_run_wrote(open_folder, readers, refused):
    results = open_folder / "results/mine"
    (results / "generate").mkdir(parents=True)
    (results / "generate/early.jsonl").write_text("{}")
    preflight.keep_to(readers, results)
    (results / "generate/late.jsonl").write_text("{}")
    for name in ("early", "late"):
        read = ["cat", results / f"generate/{name}.jsonl"]
        assert (
            subprocess.run(read, user=65534, group=65534, extra_groups=[], capture_output=True).returncode != 0
        ) == refused


def test_results_of_somebody_else_that_stay_open_are_said(open_folder, monkeypatch, capsys):
    def chmod(path, mode):
        raise PermissionError

    monkeypatch.setattr(Path, "chmod", chmod)
    preflight.keep_to("owner", open_folder)
    assert f"{open_folder} cannot be kept to its owner, and others may read" in capsys.readouterr().err
    preflight.keep_to("everyone", open_folder)
    assert capsys.readouterr().err == ""
