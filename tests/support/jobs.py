"""A script as Snakemake runs it: its object before the source, in a process of its own."""

import os
import subprocess
import sys

from support.helpers import SCRIPTS

# What Snakemake writes before a script: its object, and the script's own path.
PREAMBLE = """
from types import SimpleNamespace
snakemake = SimpleNamespace(rule="a_rule", log=[{log!r}], output=[{output!r}])
__file__ = {file!r}
"""
HEAD = """
from refuseu.errors import UserError
from refuseu.job import script
"""


class Job:
    """A script with `body` as its main, run as Snakemake would run it."""

    def __init__(self, folder, body, head=""):
        self.log, self.output = folder / "logs" / "a.log", folder / "out.txt"
        source = HEAD + head + "\n@script\ndef main(snakemake):\n    " + body.replace("\n", "\n    ") + "\n"
        (folder / "a_rule.py").write_text(source)
        self.file = folder / "tmp.a_rule.py"
        known = {"log": str(self.log), "output": str(self.output), "file": str(folder / "a_rule.py")}
        self.file.write_text(PREAMBLE.format(**known) + source)

    def run(self, **environ):
        env = {k: v for k, v in os.environ.items() if k != "REFUSEU_WARM"}
        return subprocess.run(
            [sys.executable, str(self.file)],
            env=env | {"PYTHONPATH": str(SCRIPTS)} | environ,
            capture_output=True,
            text=True,
        )
