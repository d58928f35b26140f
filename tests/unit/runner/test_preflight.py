"""What is checked before the first job."""

import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from refuseu.runner import preflight


@pytest.mark.parametrize("key", [None, "", " ", "\n"])
def test_a_key_that_is_blank_is_missing(monkeypatch, key):
    monkeypatch.delenv("DEEPL_AUTH_KEY", raising=False)
    if key is not None:
        monkeypatch.setenv("DEEPL_AUTH_KEY", key)
    with pytest.raises(SystemExit, match="translation needs a key; set DEEPL_AUTH_KEY in the environment"):
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
