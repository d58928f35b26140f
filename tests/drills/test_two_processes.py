"""Training in two processes, as accelerate starts them: the same as in one with the same batch."""

from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file

from refuseu.job.launch import launch
from refuseu.training.logprobs import REFERENCE
from support.helpers import ROOT
from support.runs import PAIRS, SETTINGS, log_of
from support.two_processes import RUNS, reference_sharded, several, several_sharded


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
            assert bool(values) or not column.startswith("held_out") or name != "full+mlc"
            assert logs[1][column] == pytest.approx(values, abs=1e-5, rel=1e-4), (name, column)
        for file in (one[2] / name).rglob("*.safetensors"):
            expected, found = load_file(file), load_file(folder / file.relative_to(one[2]))
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
