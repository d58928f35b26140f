"""The miniature's three-language cut, run for real in copies of the checkout."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIGS = ["config/miniature/config.yaml", "tests/config/cut.yaml"]


class Checkout:
    """A copy of the tracked files in which the cut runs."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.results = folder / "results/test"
        files = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, capture_output=True, text=True, check=True,
        ).stdout.splitlines()  # fmt: skip
        for name in files:
            source, target = ROOT / name, folder / name
            if source.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target, follow_symlinks=False)

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "snakemake", "--profile", "miniature", *arguments, "--configfile", *CONFIGS]

    def start(self, *arguments: str) -> subprocess.Popen:
        """Start a run in a process group of its own."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            stdout=open(self.folder / "run.log", "a"),  # lives as long as the run
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        )

    def run(self, *arguments: str) -> str:
        """Run to the end; fail with the end of the output if it fails."""
        code = self.start(*arguments).wait()
        output = (self.folder / "run.log").read_text()
        assert code == 0, output[-4000:]
        return output


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """A checkout in which the cut ran from scratch, once."""
    checkout = Checkout(tmp_path_factory.mktemp("undisturbed"))
    checkout.run()
    return checkout
