"""Weights come from safetensors: a pickle from outside is refused and never loaded."""

import shutil

import pytest
import torch

from refuseu.backends.local import load
from refuseu.errors import UserError
from refuseu.training.trainers import load_model


class Bomb:
    """Leaves a file where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


@pytest.mark.parametrize("loader", [load, load_model])
@pytest.mark.parametrize(("revision", "error"), [("local", UserError), ("a" * 40, OSError)])
def test_a_folder_with_pickled_weights_is_refused_and_nothing_in_it_runs(tiny_model, tmp_path, loader, revision, error):
    folder = shutil.copytree(tiny_model["repository"], tmp_path / "model")
    for file in folder.glob("*.safetensors"):
        file.unlink()
    torch.save({"bomb": Bomb(str(tmp_path / "ran"))}, folder / "pytorch_model.bin")
    with pytest.raises(error, match="safetensors"):
        loader(tiny_model | {"repository": str(folder), "revision": revision})
    assert not (tmp_path / "ran").exists()
