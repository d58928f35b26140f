"""The miniature's three-language cut, run for real."""

import base64
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from support.helpers import Checkout

DONE = "Finished jobid: "


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

    def take(self, other, rules):
        """Take the results of some rules from another cut, with what Snakemake knows of them."""
        for name in rules:
            shutil.copytree(other.results / name, self.results / name)
        metadata = self.folder / ".snakemake/metadata"
        metadata.mkdir(parents=True)
        for record in (other.folder / ".snakemake/metadata").iterdir():
            # A record is named by its file, in Base64.
            if record.is_file() and base64.b64decode(record.name, altchars=b"-_").decode().split("/")[2] in rules:
                shutil.copy2(record, metadata)

    def kill_after(self, steps, seconds):
        """Start, and kill everything so long after so many jobs have ended."""
        log = self.folder / "run.log"
        before = self.told().count(DONE)
        run = self.start()
        while self.told().count(DONE) < before + steps:
            assert run.poll() is None, log.read_text()[-4000:]
            time.sleep(0.05)
        time.sleep(seconds)
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()

    def artifacts(self):
        """Bytes of tables, drawn data, measures, claims and adapters by name."""
        patterns = ("tables/*", "figures/*.csv", "metrics/*", "claims.csv", "align/*/*.safetensors")
        files = [path for pattern in patterns for path in sorted(self.results.glob(pattern))]
        assert len(files) > 30
        return {str(path.relative_to(self.results)): path.read_bytes() for path in files}
