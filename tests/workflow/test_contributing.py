"""What stands around the code is true: hooks, CI, templates, containers, changelog, citation."""

import importlib.util
import os
import re
import subprocess
import sys
import tomllib

import pytest
import yaml

from support.helpers import ROOT, read_yaml
from support.repository import wrong

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z][\w-]*):", MAKEFILE, re.MULTILINE))
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
PAGES = [".github/pull_request_template.md", "CONTRIBUTING.md", "README.md", ".ci/run", ".github/workflows/ci.yml"]


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_every_make_command_that_a_page_names_is_a_target(page):
    own = re.sub(r"(?m)^\s*#.*", "", text(page)) if page.endswith(("run", ".yml")) else text(page)
    named = {
        target
        for line in re.findall(r"(?:`|^|\\$ |run: |&& )make ((?:[a-z-]+ ?)+)", own, re.MULTILINE)
        for target in line.split()
    }
    assert named and named <= TARGETS, named - TARGETS


def test_make_lists_its_targets_and_the_default_one_stays_the_miniature():
    said = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    listed = dict(re.findall(r"^make ([a-z-]+) +(\S.*)$", said, re.MULTILINE))
    assert listed.keys() == TARGETS - {"terms"}
    assert len(said.splitlines()) == len(listed)
    assert re.search(r"^([a-z]+):", MAKEFILE, re.MULTILINE)[1] == "miniature"


# CI


def test_github_runs_what_ci_runs_and_the_miniature():
    jobs = read_yaml(".github/workflows/ci.yml")["jobs"]
    runs = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    assert runs == [".ci/run", "make miniature"]
    assert os.access(ROOT / ".ci/run", os.X_OK)
    assert all(step.get("uses", "@v").count("@") == 1 for job in jobs.values() for step in job["steps"])


def test_nobody_who_opens_a_pull_request_gets_more_than_reading():
    workflow = yaml.load(text(".github/workflows/ci.yml"), yaml.BaseLoader)
    assert workflow["permissions"] == {"contents": "read"}
    assert "pull_request_target" not in workflow["on"] and "secrets." not in text(".github/workflows/ci.yml")


def test_issue_templates_have_what_github_asks_for():
    for file in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml"):
        form = yaml.safe_load(file.read_text(encoding="utf-8"))
        if file.stem != "config":
            assert form["name"] and form["description"]
            assert {part["type"] for part in form["body"]} <= {"markdown", "input", "textarea"}
            ids = [part["id"] for part in form["body"] if part["type"] != "markdown"]
            assert len(ids) == len(set(ids))


# Hooks


def test_hooks_need_no_network_and_run_what_lint_runs():
    [repository] = read_yaml(".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    entries = [hook["entry"] for hook in repository["hooks"]]
    assert all(hook["language"] == "system" for hook in repository["hooks"])
    assert all(entry.startswith(".venv/bin/") for entry in entries)
    lint = re.search(r"^lint:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)[1]
    for command in ("ruff check", "ruff format --check", "snakefmt --check", "mypy"):
        assert command in lint and any(command in entry for entry in entries)


def test_the_hooks_can_be_run():
    for hook in read_yaml(".pre-commit-config.yaml")["repos"][0]["hooks"]:
        program, *arguments = hook["entry"].removeprefix(".venv/bin/").split()
        if program == "python":
            assert (ROOT / arguments[0]).is_file()
        else:
            assert importlib.util.find_spec(program) or program in ("ruff", "snakefmt")


def test_the_whole_repository_may_be_committed():
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    files = [name for name in listed if os.path.lexists(ROOT / name) and not name.startswith("shared/")]
    assert len(files) > 300
    assert not [f"{name} {one}" for name in files for one in wrong(name)]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("results/mine/metrics.csv", b"", "is made by a run"),
        ("resources/audit/mine/pl.csv", b"", "is made by a run or brought by its user"),
        ("adapter.safetensors", b"", "is a file of weights"),
        ("large.csv", b"0" * 1_000_001, "is larger than 1000000 bytes"),
        ("notes.md", b"hf_" + b"a" * 34, "holds what looks like a key"),
        ("config/mine.yaml", b"a: [1", "cannot be read"),
        ("mine.json", b"{", "cannot be read"),
        ("mine.schema.yaml", b"type: nothing", "cannot be read"),
        ("requirements.lock", b"a>=1\n", "'a>=1' is no pin; write locks with make lock"),
        ("requirements.lock", b"b==1\na==1\n", "not sorted"),
    ],
)
def test_what_must_not_be_committed_is_named_with_its_cure(tmp_path, name, content, said):
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_bytes(content)
    assert said in " ".join(wrong(name, tmp_path))


@pytest.mark.parametrize(("name", "code"), [("Makefile", 0), ("tests/no_such_file.py", 1)])
def test_the_hook_stops_a_commit_or_lets_it_pass(name, code):
    ended = subprocess.run([sys.executable, "tests/support/repository.py", name], cwd=ROOT, stderr=subprocess.DEVNULL)
    assert ended.returncode == code


def test_what_may_be_committed_is_passed_over(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config/mine.yaml").write_text("a: 1\n")
    (tmp_path / "link").symlink_to("config")
    assert wrong("config/mine.yaml", tmp_path) == wrong("link", tmp_path) == []


# Containers


def test_the_containers_hold_what_the_lock_says():
    docker, apptainer = text("Dockerfile"), text("Apptainer.def")
    copied = re.search(r"^COPY (.*) /tmp/$", docker, re.MULTILINE)[1].split()
    files = re.search(r"%files\n((?: {4}.*\n)+)", apptainer)[1].split("\n")
    assert copied == [line.split()[0] for line in files if line] == ["envs/install.py", "requirements.lock"]
    assert all((ROOT / name).is_file() for name in copied)
    image = re.search(r"^FROM (\S+)$", docker, re.MULTILINE)[1]
    assert f"From: {image}\n" in apptainer
    minor = tuple(map(int, re.match(r"python:(\d+)\.(\d+)-", image).groups()))
    assert f">={minor[0]}.{minor[1]}" == tomllib.loads(text("pyproject.toml"))["project"]["requires-python"]
    steps = [line.removeprefix("RUN ").strip() for line in docker.splitlines() if line.startswith("RUN ")]
    assert all(step in apptainer for step in steps) and "install.py /venv requirements.lock" in steps[-1]
    variables = re.search(r"^ENV (PATH=\S+) HOME=/tmp (.*)$", docker, re.MULTILINE)
    assert f"export {variables[1]} {variables[2]}\n" in apptainer


# Catalogue, changelog, citation


def test_the_catalogue_is_told_what_is_true():
    usage = read_yaml(".snakemake-workflow-catalog.yml")["usage"]
    assert usage["report"] and (ROOT / "workflow/Snakefile").is_file() and (ROOT / "config/README.md").is_file()
    assert usage["software-stack-deployment"] == {"conda": any((ROOT / "envs").glob("*.yaml"))}
    option, profile = usage["mandatory-flags"]["flags"].split()
    assert option == "--profile" and (ROOT / profile / "profile.yaml").is_file()


def test_the_changelog_is_by_version_and_the_newest_is_the_packages():
    versions = re.findall(r"^## \[(.+?)\]( - \d{4}-\d\d-\d\d)?$", text("CHANGELOG.md"), re.MULTILINE)
    assert versions[0] == ("Unreleased", "") and all(date for _, date in versions[1:])
    numbers = [tuple(map(int, number.split("."))) for number, _ in versions[1:]]
    assert numbers == sorted(numbers, reverse=True) and len(numbers) == len(set(numbers))
    assert versions[1][0] == VERSION if len(versions) > 1 else True
    sections = re.findall(r"^### (.+)$", text("CHANGELOG.md"), re.MULTILINE)
    assert sections and not re.search(r"^#### ", text("CHANGELOG.md"), re.MULTILINE)


def test_the_citation_has_the_packages_version_licence_and_papers():
    citation = read_yaml("CITATION.cff")
    project = tomllib.loads(text("pyproject.toml"))["project"]
    assert (citation["title"], citation["version"], citation["license"]) == (
        project["name"], VERSION, project["license"]
    )  # fmt: skip
    for paper in citation["references"]:
        [number] = re.findall(r"arxiv\.org/abs/(\S+)", paper["url"])
        assert paper["identifiers"][0]["value"] == f"arXiv:{number}" and number in text("README.md")
