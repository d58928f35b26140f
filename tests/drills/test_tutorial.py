"""The tutorial, typed from its first to its last line, in a checkout whose miniature is cut to three languages."""

import re
import shutil
import subprocess

import pytest
import yaml
from snakemake.utils import update_config

from support.helpers import ROOT, Checkout, adopt, read_yaml
from support.pages import Written, steps

PAGE = "docs/tutorial.md"
# What a test has done already: the environment is there, and the cut was run.
DONE = ("make miniature", ". .venv/bin/activate")


@pytest.fixture(scope="module")
def reader(undisturbed, tmp_path_factory):
    """A checkout in which ``make miniature`` has ended: its miniature is the cut, which another test may have run."""
    reader = Checkout(tmp_path_factory.mktemp("reader"))
    config = read_yaml("config/miniature/config.yaml")
    update_config(config, read_yaml("tests/config/cut.yaml") | {"study": "miniature"})
    (reader.folder / "config/miniature/config.yaml").write_text(yaml.safe_dump(config, allow_unicode=True))
    shutil.copytree(undisturbed.results, reader.folder / "results/miniature")
    reader.environ["PATH"] = undisturbed.environ["PATH"]
    adopt(reader, "--profile", "miniature")
    return reader


def words(text):
    """What must be there on any machine: words, not numbers."""
    return set(re.findall(r"[A-Za-z_]{4,}", text))


def test_every_command_of_the_tutorial_does_what_the_tutorial_says(reader):
    tried = 0
    for step in steps(PAGE):
        if isinstance(step, Written):
            (reader.folder / step.file).write_text(step.text, encoding="utf-8")
        elif step.line not in DONE:
            ended = subprocess.run(
                ["bash", "-euc", step.line], cwd=reader.folder, env=reader.environ, capture_output=True, text=True
            )
            said = ended.stdout + ended.stderr
            assert ended.returncode == 0, f"{step.line}\n{said}"
            assert words("\n".join(step.printed)) <= words(said), f"{step.line}\n{said}"
            tried += 1
    assert tried > 8


def test_the_first_command_is_what_the_test_did_for_it():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^miniature: \$\(VENV\)/ready.*\n\t@\$\(RUN\) snakemake --profile miniature$", makefile, re.M)
