"""A function in several processes: how their failures reach the user. That two learn what one learns is a drill."""

import os
from types import SimpleNamespace

import pytest

from refuseu.errors import UserError
from refuseu.job.launch import launch
from refuseu.training.alignment import prepare
from support import failing
from support.runs import PAIRS, recipe, run


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("user", "^the recipe is wrong$"),
        ("other", "^process 1 failed with ValueError, see the log: of the second process$"),
        ("killed", "^a process of .*two.yaml was killed; if the log does not say why, look at its memory$"),
    ],
)
def test_the_failure_of_any_process_is_one_sentence(two, how, said):
    with pytest.raises(UserError, match=said):
        launch(failing.fail, two, how)


def test_without_a_config_a_function_is_called_here():
    assert launch(os.getpid, None) == os.getpid()


def test_batches_that_the_processes_cannot_share_are_refused(tiny_model, stored, tmp_path, monkeypatch):
    monkeypatch.setattr("refuseu.training.alignment.PartialState", lambda: SimpleNamespace(num_processes=2))
    with pytest.raises(UserError, match="gradient_accumulation_steps is 1, which 2 GPUs cannot share; choose a mul"):
        prepare(PAIRS, tiny_model, run("dpo", recipe()), stored, {}, tmp_path)
