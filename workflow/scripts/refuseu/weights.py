"""Weights are safetensors: whatever only a pickle could load is refused."""

from pathlib import Path

from refuseu.errors import UserError

CURE = (
    ", or convert what is there on a machine apart, with save_pretrained of transformers: pickled weights (.bin, .pt) "
    "may run code and are never loaded"
)


def check_weights(folder: str | Path) -> None:
    """Stop if a local model folder has weights that only a pickle could load, or none.

    Raises
    ------
    UserError
        If there are no safetensors in it.
    """
    if not any(Path(folder).glob("*.safetensors")):
        raise UserError(f"{folder} holds no safetensors weights; correct the column repository of models.tsv{CURE}")
