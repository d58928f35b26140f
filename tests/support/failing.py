"""What goes wrong in one of two processes; imports nothing heavy."""

import os
import signal

from refuseu.errors import UserError


def fail(how):
    """In the second process; the first one waits."""
    if os.environ["RANK"] == "0":
        signal.pause()
    if how == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    raise UserError("the recipe is wrong") if how == "user" else ValueError("of the second process\nmore")
