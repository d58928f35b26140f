"""Training in two processes, as accelerate starts them: the same as in one with the same batch."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import yaml
from safetensors.torch import load_file

from refuseu.errors import UserError
from refuseu.job.launch import launch
from refuseu.training.alignment import prepare
from refuseu.training.logprobs import REFERENCE
from support import failing
from support.helpers import ROOT, TESTS
from support.runs import PAIRS, SETTINGS, log_of, recipe, run
from support.two_processes import RUNS, reference_sharded, several, several_sharded


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


@pytest.fixture(scope="module")
def one(tiny_model, stored, tmp_path_factory):
    """What one process finds, and its folder."""
    folder = tmp_path_factory.mktemp("one")
    return *several(RUNS, tiny_model, stored, folder), folder


def same(one, both, folder):
    """Sums over a batch are added in another order: 1e-5 is a hundred times what single precision loses there."""
    for ours, theirs in zip(both[0][2], one[0][2], strict=True):
        assert [ours[name] for name in REFERENCE] == pytest.approx([theirs[name] for name in REFERENCE], abs=1e-4)
    assert both[0][:2] == one[0][:2]
    assert len((folder / "j.jsonl").read_text().splitlines()) == 7  # one process writes
    for name in RUNS:
        facts = [found[1][name] for found in (one, both)]
        assert [(fact["processes"], fact["steps"]) for fact in facts] == [(1, 6), (2, 6)]
        logs = [log_of(place / name) for place in (one[2], folder)]
        for column, values in logs[0].items():
            assert logs[1][column] == pytest.approx(values, abs=1e-5, rel=1e-4), (name, column)
        for file in (one[2] / name).glob("*.safetensors"):
            expected, found = load_file(file), load_file(folder / name / file.name)
            assert set(found) == set(expected)
            for key, tensor in expected.items():
                torch.testing.assert_close(found[key], tensor, atol=1e-4, rtol=1e-3, msg=f"{name} {key}")
        assert list((folder / f"{name}-events").iterdir())
    assert both[1]["resumed"]["resumed_at_step"] == 4
    for file in ("adapter_model.safetensors", "mlc_extractor.safetensors"):
        whole, resumed = load_file(folder / "dpo+mlc" / file), load_file(folder / "resumed" / file)
        for key, tensor in whole.items():
            torch.testing.assert_close(resumed[key], tensor, atol=1e-6, rtol=1e-5, msg=f"resumed {key}")


def test_two_processes_learn_what_one_learns(tiny_model, stored, tmp_path, two, one):
    same(one, launch(several, two, RUNS, tiny_model, stored, tmp_path), tmp_path)


@pytest.fixture
def two_sharded(two):
    """The bundled config of two GPUs, on the CPU."""
    bundled = yaml.safe_load((ROOT / "config/accelerate/2.yaml").read_text(encoding="utf-8"))
    Path(two).write_text(yaml.safe_dump(bundled | {"use_cpu": True}))
    return two


def test_weights_that_are_sharded_over_two_processes_learn_what_one_learns(
    tiny_model, stored, tmp_path, two_sharded, one
):
    same(one, launch(several_sharded, two_sharded, RUNS, tiny_model, stored, tmp_path), tmp_path)


def test_sharded_log_probabilities_are_not_rounded_to_bfloat16(tiny_model, tmp_path, two_sharded):
    settings = SETTINGS | {"bf16": True}
    *_, found = launch(reference_sharded, two_sharded, PAIRS[:4], tiny_model, settings, tmp_path / "j.jsonl", tmp_path)
    values = torch.tensor([[row[name] for name in REFERENCE] for row in found])
    assert (values < -32).all()  # where bfloat16 knows quarters at best
    assert (values != values.bfloat16()).all()


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
