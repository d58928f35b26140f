"""Trainer callbacks: a bar on the terminal, and a stop at a loss that is not a number."""

import math
from typing import Any

from transformers import TrainerCallback

from refuseu import progress
from refuseu.errors import UserError


class Bar(TrainerCallback):
    """Shows the steps of a training on the terminal; the log gets the trainer's own lines."""

    def __init__(self, what: str):
        self.what, self.bar = what, None

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.bar = progress.bar(state.max_steps, self.what)
        self.bar.update(state.global_step)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.bar.update()

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.bar.close()


class StopOnNaN(TrainerCallback):
    """Stop at a loss that is not a number; checkpoints before it stay."""

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        if logs and not math.isfinite(float(logs.get("loss", 0.0))):
            raise UserError(
                f"the loss is {logs['loss']} at step {state.global_step}; lower the learning rate of the recipe "
                "(the last checkpoint before it is kept)"
            )
