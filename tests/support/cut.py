"""The miniature's three-language cut, run for real."""

import os
import subprocess
import sys
from pathlib import Path

from support.helpers import Checkout


class Cut(Checkout):
    """A checkout in which the cut of the miniature runs."""

    def __init__(self, folder):
        super().__init__(folder)
        self.results = self.folder / "results/test"
        self.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"

    def arguments(self, *more, profile="miniature", configs=()):
        """What Snakemake is told on the command line."""
        configs = ["config/miniature/config.yaml", "tests/config/cut.yaml", *configs]
        return ["--profile", profile, *more, "--configfile", *configs]

    def start(self, *arguments, **more):
        """Start a run in a process group of its own."""
        with open(self.folder / "run.log", "a") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "snakemake", *self.arguments(*arguments, **more)],
                cwd=self.folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=self.environ,
            )

    def run(self, *arguments, **more):
        """Run to the end; fail with the end of the output if it fails."""
        code = self.start(*arguments, **more).wait()
        output = (self.folder / "run.log").read_text()
        assert code == 0, output[-4000:]
        return output

    def artifacts(self):
        """Bytes of tables, drawn data, measures, claims and adapters by name."""
        patterns = ("tables/*", "figures/*.csv", "metrics/*", "claims.csv", "align/*/*.safetensors")
        files = [path for pattern in patterns for path in sorted(self.results.glob(pattern))]
        assert len(files) > 30
        return {str(path.relative_to(self.results)): path.read_bytes() for path in files}
