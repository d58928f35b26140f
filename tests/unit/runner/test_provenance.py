"""Code is part of what a result depends on: an edit counts where it is imported, and nowhere else."""

import json
import os
import shutil
import subprocess
import sys
from modulefinder import ModuleFinder

import pytest

from refuseu.job.manifest import git_state, manifest
from refuseu.records import file_digest
from refuseu.runner import provenance
from support.helpers import ROOT, SCRIPTS


def module_name(path):
    return ".".join(path.relative_to(SCRIPTS).with_suffix("").parts)


NEUTRAL = [name for file in sorted(SCRIPTS.glob("refuseu/**/*.py")) if provenance.neutral(name := module_name(file))]


@pytest.fixture
def scripts(tmp_path, monkeypatch):
    """A copy of workflow/scripts that a test may edit."""
    folder = tmp_path / "scripts"
    shutil.copytree(SCRIPTS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(provenance, "SCRIPTS", folder)
    monkeypatch.setattr(provenance, "CACHE", tmp_path / "cache" / "digests.json")
    yield folder
    forget()


def forget():
    """What this process knows, as in a new one; the file stays."""
    for known in (provenance.all_facts, provenance.module_file, provenance.resolved):
        known.cache_clear()


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
        finder = ModuleFinder(path=[str(SCRIPTS)], excludes=NEUTRAL)
        finder.run_script(str(path))
        for name in finder.modules:
            found.setdefault(name, set()).add(path.name)
    return found


def test_every_script_has_a_digest_of_its_own(scripts):
    found = digests(scripts)
    assert len(found) > 30
    assert len(set(found.values())) == len(found)


@pytest.mark.parametrize("module", ["evaluation.guards", "training.mlc", "study.study", "job.start"])
def test_comments_blank_lines_and_file_times_change_nothing(scripts, module):
    path = scripts.joinpath("refuseu", *module.split(".")).with_suffix(".py")

    def edit():
        text = path.read_text(encoding="utf-8").replace("\n\n\n", "\n\n\n\n# A comment.\n\n\n")
        path.write_text("# Another.\n" + text + "\n\n# The end.\n", encoding="utf-8")
        for file in scripts.rglob("*.py"):
            os.utime(file)

    assert changed(scripts, edit) == set()


@pytest.mark.parametrize(
    "module",
    [
        "evaluation.guards",
        "evaluation.outcomes",
        "training.mlc",
        "artifacts.tables",
        "job.journal",
        "languages",
        "training.alignment",
        "miniature.models",
        "backends.local",
        "backends",
    ],
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
    assert not {"measure.py", "table.py", "split_pairs.py"} & using


def test_a_job_may_do_without_a_module(scripts):
    def changed_without(*modules):
        before = provenance.code_digest("align.py", modules)
        add(scripts / "refuseu/training/mlc.py", "\nNEW = 1\n")()
        forget()
        return provenance.code_digest("align.py", modules) != before

    assert changed_without() and not changed_without("training/mlc") and changed_without("training/logprobs")


def test_training_imports_the_consistency_loss_late():
    late = "'refuseu.training.mlc' in sys.modules"
    code = f"import sys; from refuseu.training import alignment, reference; sys.exit({late})"
    subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": str(SCRIPTS)}, check=True)


def test_an_edit_of_a_script_changes_only_that_script(scripts):
    assert changed(scripts, add(scripts / "align.py", "\nNEW = 1\n")) == {"align.py"}


def test_how_jobs_run_is_neutral_and_what_a_journal_hands_out_is_not():
    assert {"refuseu.job.start", "refuseu.job.warm", "refuseu.runner.preflight", "refuseu.errors"} <= set(NEUTRAL)
    rooms = {name.split(".")[1] for name in NEUTRAL}
    assert rooms == {"errors", "job", "runner"} and "refuseu.job.journal" not in NEUTRAL


def test_what_cannot_change_a_result_changes_no_digest(scripts):
    def edit():
        for module in NEUTRAL:
            add(scripts.joinpath(*module.split(".")).with_suffix(".py"), "\nNEW = 1\n")()

    assert changed(scripts, edit) == set()


def test_what_an_editor_leaves_beside_an_open_file_is_no_code(scripts):
    assert changed(scripts, lambda: (scripts / "refuseu/.#rows.py").symlink_to("somebody@somewhere.42:1")) == set()


def test_a_change_back_is_no_change(scripts):
    before = digests(scripts)
    text = (scripts / "align.py").read_text()
    add(scripts / "align.py", "\nNEW = 1\n")()
    assert digests(scripts) != before
    (scripts / "align.py").write_text(text)
    assert digests(scripts) == before


# One function of a module

DRAWING = """
import math
from refuseu.room import helping
from refuseu.room import unused

LIMIT = 3
ORDER = {}
ORDER["table1"] = LIMIT


def table1():
    other = helper()
    return other + ORDER["table1"]


def helper():
    return helping.value()


def table2():
    return unused.value() + math.pi


def other():
    return 2
"""


@pytest.fixture
def room(scripts):
    """A module with functions that a script calls by name, and what they use."""
    folder = scripts / "refuseu" / "room"
    folder.mkdir()
    (folder / "__init__.py").write_text('"""A room."""\n')
    (folder / "drawing.py").write_text(DRAWING)
    for name in ("helping", "unused"):
        (folder / f"{name}.py").write_text("def value():\n    return 1\n")
    return folder


def changes(room, file, old, new, script="table.py"):
    """Whether an edit changes the digest of a script that calls ``table1``."""
    (room.parents[1] / "table.py").write_text("from importlib import import_module\n")

    def found():
        forget()
        return provenance.code_digest(script, function="refuseu.room.drawing:table1")

    before, text = found(), (room / file).read_text()
    assert old in text
    (room / file).write_text(text.replace(old, new))
    after = found()
    (room / file).write_text(text)
    return before != after


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('other + ORDER["table1"]', "other"),
        ("helping.value()", "helping.value() + 1"),
        ("LIMIT = 3", "LIMIT = 4"),
        ('ORDER["table1"] = LIMIT', 'ORDER["table1"] = 0'),
        ("import math", "import math\nmath.seed()"),  # runs for everybody
        ("def helper", "@decorated\ndef helper"),
    ],
)
def test_of_the_module_of_a_function_all_that_it_needs_counts(room, old, new):
    assert changes(room, "drawing.py", old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("unused.value() + math.pi", "0"),
        ("return 2", "return 3"),  # a local name of table1 is another
        ("import math", "import cmath as math"),
        ("def table2", "def table3():\n    return 3\n\n\ndef table2"),
        ("from refuseu.room import unused", "from refuseu import languages as unused"),
    ],
)
def test_of_the_module_of_a_function_its_siblings_do_not_count(room, old, new):
    assert not changes(room, "drawing.py", old, new)


def test_other_modules_count_as_wholes_if_the_function_needs_them(room):
    assert changes(room, "helping.py", "return 1", "return 1\n\n\nNEW = 1")
    assert not changes(room, "unused.py", "return 1", "return 2")


def test_who_imports_the_module_of_a_function_needs_what_it_imports(room):
    (room / "helping.py").write_text("def value():\n    from refuseu.room.drawing import other\n\n    return other()\n")
    assert changes(room, "drawing.py", "return 2", "return 3")
    assert not changes(room, "drawing.py", "unused.value()", "3")
    (room / "helping.py").write_text("from refuseu.room import drawing\n\n\ndef value():\n    return drawing.other()\n")
    assert changes(room, "drawing.py", "unused.value()", "3")


def test_who_may_use_any_name_needs_the_whole_module(room):
    text = (room / "drawing.py").read_text()
    (room / "drawing.py").write_text(text.replace("other = helper()", 'other = globals()["helper"]()'))
    assert changes(room, "drawing.py", "unused.value()", "3")


def test_a_function_that_is_not_there_is_named(room):
    (room.parents[1] / "table.py").write_text("NEW = 1\n")
    with pytest.raises(LookupError, match="no table9"):
        provenance.code_digest("table.py", function="refuseu.room.drawing:table9")


# The cache


def parsed_files(monkeypatch):
    """Sources that are parsed from now on."""
    found = []
    original = provenance.syntax.statements
    monkeypatch.setattr(
        provenance.syntax, "statements", lambda source, *file: found.append(source) or original(source, *file)
    )
    return found


def test_a_file_is_parsed_once_for_all_processes(scripts, monkeypatch):
    before = digests(scripts)
    found = parsed_files(monkeypatch)
    assert digests(scripts) == before and found == []
    add(scripts / "align.py", "\nNEW = 1\n")()
    after = digests(scripts)
    assert found == [(scripts / "align.py").read_bytes()]
    assert {name for name in before if before[name] != after[name]} == {"align.py"}


@pytest.mark.parametrize("content", ["", "{", "[]", '{"algorithm": 1}', "\x00"])
def test_a_broken_cache_is_as_good_as_none(scripts, content):
    before = digests(scripts)
    provenance.CACHE.write_text(content)
    assert digests(scripts) == before


def test_a_cache_of_another_algorithm_is_as_good_as_none(scripts, monkeypatch):
    before = digests(scripts)
    text = provenance.CACHE.read_text()
    known = json.loads(text)
    wrong = {key: [["wrong", [], [], []]] for key in known["files"]}
    provenance.CACHE.write_text(json.dumps(known | {"files": wrong}))
    assert digests(scripts) != before  # it is read at all
    provenance.CACHE.write_text(json.dumps({"algorithm": "older", "files": wrong}))
    assert digests(scripts) == before


def test_a_folder_that_cannot_be_written_to_does_not_matter(scripts, monkeypatch, tmp_path):
    before = digests(scripts)
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(provenance, "CACHE", tmp_path / "file" / "digests.json")
    assert digests(scripts) == before


def test_a_manifest_names_the_commit_and_the_inputs(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    (tmp_path / "pairs.jsonl").write_text("{}\n")
    found = manifest([str(tmp_path / "pairs.jsonl")])
    assert found["inputs"] == {str(tmp_path / "pairs.jsonl"): file_digest(tmp_path / "pairs.jsonl")}
    if (ROOT / ".git").exists():
        head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
        assert found["git"]["commit"] == head.stdout.strip()
        assert isinstance(found["git"]["dirty"], bool)


def test_outside_a_repository_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_state() == {}
