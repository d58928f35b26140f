"""Code is part of what a result depends on: an edit counts where it is imported, and nowhere else."""

import os
import shutil
import subprocess
import sys
from modulefinder import ModuleFinder

import pytest

from refuseu.records import file_digest
from refuseu.runner import provenance
from support.helpers import ROOT, SCRIPTS


@pytest.fixture
def scripts(tmp_path, monkeypatch):
    """A copy of workflow/scripts that a test may edit."""
    folder = tmp_path / "scripts"
    shutil.copytree(SCRIPTS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(provenance, "SCRIPTS", folder)
    yield folder
    forget()


def forget():
    provenance.parsed.cache_clear()
    provenance.tree.cache_clear()
    provenance.imported.cache_clear()


def digests(folder):
    forget()
    return {path.name: provenance.code_digest(path.name) for path in folder.glob("*.py")}


def changed(folder, edit):
    """Scripts whose digest an edit changes."""
    before = digests(folder)
    edit()
    after = digests(folder)
    return {name for name in before if before[name] != after[name]}


def add(path, text):
    def edit():
        path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")

    return edit


@pytest.fixture(scope="module")
def users():
    """Module → scripts that import it, found by the standard library's modulefinder."""
    found = {}
    for path in SCRIPTS.glob("*.py"):
        finder = ModuleFinder(path=[str(SCRIPTS)], excludes=list(provenance.NEUTRAL))
        finder.run_script(str(path))
        for name in finder.modules:
            found.setdefault(name, set()).add(path.name)
    return found


def test_every_script_has_a_digest_of_its_own(scripts):
    found = digests(scripts)
    assert len(found) > 50
    assert len(set(found.values())) == len(found)


@pytest.mark.parametrize("module", ["guards", "mlc", "training", "script"])
def test_comments_blank_lines_and_file_times_change_nothing(scripts, module):
    path = scripts / "refuseu" / f"{module}.py"

    def edit():
        text = path.read_text(encoding="utf-8").replace("\n\n\n", "\n\n\n\n# A comment.\n\n\n")
        path.write_text("# Another.\n" + text + "\n\n# The end.\n", encoding="utf-8")
        for file in scripts.rglob("*.py"):
            os.utime(file)

    assert changed(scripts, edit) == set()


@pytest.mark.parametrize(
    "module",
    ["guards", "outcomes", "mlc", "tables", "journal", "languages", "training", "tiny", "backends.local", "backends"],
)
def test_an_edit_changes_exactly_the_scripts_that_import_the_module(scripts, users, module):
    path = scripts.joinpath("refuseu", *module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    expected = users[f"refuseu.{module}"]
    assert expected
    assert changed(scripts, add(path, "\nNEW = 1\n")) == expected


def test_the_backends_that_are_imported_inside_a_function_count_too(scripts):
    using = changed(scripts, add(scripts / "refuseu/backends/engine.py", "\nNEW = 1\n"))
    assert {"generate.py", "judge.py"} <= using
    assert not {"measure.py", "table1.py", "split_pairs.py"} & using


def test_a_job_may_do_without_a_module(scripts):
    def changed_without(*modules):
        before = provenance.code_digest("align.py", modules)
        add(scripts / "refuseu/training/mlc.py", "\nNEW = 1\n")()
        forget()
        return provenance.code_digest("align.py", modules) != before

    assert changed_without() and not changed_without("mlc") and changed_without("logprobs")


def test_training_imports_the_consistency_loss_late():
    late = "'refuseu.training.mlc' in sys.modules"
    code = f"import sys; from refuseu.training import alignment, reference; sys.exit({late})"
    subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": str(SCRIPTS)}, check=True)


def test_an_edit_of_a_script_changes_only_that_script(scripts):
    assert changed(scripts, add(scripts / "align.py", "\nNEW = 1\n")) == {"align.py"}


@pytest.mark.parametrize("module", sorted(provenance.NEUTRAL))
def test_what_cannot_change_a_result_changes_no_digest(scripts, module):
    path = scripts.joinpath(*module.split(".")).with_suffix(".py")
    assert path.is_file()
    assert changed(scripts, add(path, "\nNEW = 1\n")) == set()


def test_a_change_back_is_no_change(scripts):
    before = digests(scripts)
    text = (scripts / "align.py").read_text()
    add(scripts / "align.py", "\nNEW = 1\n")()
    assert digests(scripts) != before
    (scripts / "align.py").write_text(text)
    assert digests(scripts) == before


def test_a_manifest_names_the_commit_and_the_inputs(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    (tmp_path / "pairs.jsonl").write_text("{}\n")
    found = provenance.manifest([str(tmp_path / "pairs.jsonl")])
    assert found["inputs"] == {str(tmp_path / "pairs.jsonl"): file_digest(tmp_path / "pairs.jsonl")}
    if (ROOT / ".git").exists():
        head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
        assert found["git"]["commit"] == head.stdout.strip()
        assert isinstance(found["git"]["dirty"], bool)


def test_outside_a_repository_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert provenance.git_state() == {}
