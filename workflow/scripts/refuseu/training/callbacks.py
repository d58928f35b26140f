"""Trainer callbacks: a bar on the terminal, TensorBoard files, and how long a training took."""

import shutil
import time
from pathlib import Path
from typing import Any

from transformers import TrainerCallback
from transformers.integrations import TensorBoardCallback

from refuseu.job import progress


class Bar(TrainerCallback):
    """Shows the steps of a training on the terminal; the log gets the trainer's own lines."""

    def __init__(self, what: str):
        self.what = what
        self.bar: Any = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.bar = progress.bar(state.max_steps, self.what)
        self.bar.update(state.global_step)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.bar.update()

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.bar.close()


class Events(TensorBoardCallback):
    """Writes what is logged as TensorBoard files; after a resume, curves go on where the checkpoint was.

    Parameters
    ----------
    folder : of this run alone; emptied when the training starts from the beginning
    done : steps of the checkpoint that is resumed from, or 0
    """

    def __init__(self, folder: str | Path, done: int):
        from torch.utils.tensorboard import SummaryWriter

        if not done:
            shutil.rmtree(folder, ignore_errors=True)
        super().__init__(SummaryWriter(str(folder), purge_step=done + 1 if done else None))


class Clock(TrainerCallback):
    """Seconds of a training; after a resume, with those of earlier sessions up to the checkpoint.

    They are kept in the trainer's state, which the main process saves with each checkpoint.
    """

    def __init__(self) -> None:
        self.before, self.started = 0.0, time.monotonic()

    @property
    def seconds(self) -> float:
        return self.before + time.monotonic() - self.started

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.before = state.stateful_callbacks.get("seconds", 0.0)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        state.stateful_callbacks["seconds"] = self.seconds
