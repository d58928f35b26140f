"""What the pages tell their reader to type works, by dry runs of a fresh copy, one for each study that is meant."""

import re
import shlex
import shutil
from collections import Counter, defaultdict
from contextlib import contextmanager

import pytest
from snakemake.cli import get_argument_parser

from refdocs import artifacts, pictures, targets
from refdocs import pages as reference
from refdocs.graph import graph_of
from support.helpers import ROOT
from support.pages import Written, pages, steps
from support.studies import FIGURES

PAGES = pages()
# Not dry: what they do is tried in tests/drills.
NEVER_DRY = {"--unlock", "--touch"}
# Programs that read results, or what a shell does; they are tried on real results in tests/drills.
SHELL = {".", "rm", "head", "tail", "grep"}


def told(page):
    """(files that the reader has written by then, command line) of every Snakemake command of a page."""
    files = []
    for step in steps(page):
        if isinstance(step, Written):
            files = [*files, step]
        elif step.line.startswith("snakemake"):
            yield tuple(files), step


def parsed(line):
    """A command's targets, and what else it says, which makes the study."""
    arguments = get_argument_parser().parse_args(shlex.split(line)[1:])
    words = shlex.split(line)[1:]
    return arguments.targets, tuple(word for word in words if word not in {*arguments.targets, "-n"})


STUDIES = defaultdict(list)
for page_ in PAGES:
    for files_, command_ in told(page_):
        if not NEVER_DRY & set(command_.line.split()):
            STUDIES[parsed(command_.line)[1], files_].append(command_)


@pytest.mark.parametrize(
    ("study", "commands"), STUDIES.items(), ids=[" ".join(options) or "plain" for options, _ in STUDIES]
)
def test_what_pages_ask_of_a_study_is_there_to_be_asked_for(checkout, study, commands):
    options, files = study
    wanted = sorted({target for command in commands for target in parsed(command.line)[0] or ["all"]})
    with config_with(checkout, files):
        graph = checkout.graph(*options, "--", *wanted)
    known = {job.split()[0] for job in graph} | {file for _, outputs in graph.values() for file in outputs}
    assert set(wanted) <= known


@contextmanager
def config_with(checkout, files):
    """A checkout whose config the reader has changed, for a while."""
    config, kept = checkout.folder / "config", checkout.folder / "config_as_it_was"
    shutil.copytree(config, kept)
    try:
        for step in files:
            path = checkout.folder / step.file
            before = path.read_text(encoding="utf-8") if step.added else ""
            path.write_text(before + step.text, encoding="utf-8")
        yield
    finally:
        shutil.rmtree(config)
        kept.rename(config)


def test_pages_that_messages_point_to_are_there():
    texts = [file.read_text(encoding="utf-8") for file in (ROOT / "workflow/scripts").rglob("*.py")]
    named = {page for text in texts for page in re.findall(r"\b(?:docs|config)/[\w/]+\.md", text)}
    assert len(named) > 3
    assert not [page for page in named if not (ROOT / page).is_file()]


@pytest.mark.parametrize("page", PAGES)
def test_every_other_command_is_one_that_there_is(page):
    targets = set(re.findall(r"^(\w[\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for step in steps(page):
        if isinstance(step, Written):
            continue
        words = shlex.split(step.line)
        if words[0] == "make":
            assert {word for word in words[1:] if "=" not in word} <= targets, step
        elif words[0] == "snakemake":
            get_argument_parser().parse_args(words[1:])
        elif words[0] == "python":
            assert (ROOT / words[1]).is_file() or words[1] == "-m", step
        else:
            assert words[0] in SHELL, step


def test_the_example_of_a_language_for_evaluation_has_the_benchmarks_of_the_paper():
    twelve = ("rtp_lx", "borderline", "fluency")
    rows = (ROOT / "config/benchmarks.tsv").read_text(encoding="utf-8").splitlines(keepends=True)
    more = (ROOT / "config/more_benchmarks.tsv").read_text(encoding="utf-8").splitlines(keepends=True)
    expected = [row.replace("\tall\t", "\ttwelve\t", 1) if row.startswith(twelve) else row for row in rows]
    expected += [row.replace("\ten,it\t", "\ten,it,ko\t") for row in more if row.startswith("multijail\t")]
    assert (ROOT / "config/korean.tsv").read_text(encoding="utf-8") == "".join(expected)


# What is generated


@pytest.mark.parametrize(
    ("name", "text"), [*reference.written(), *targets.written(), *artifacts.written()], ids=lambda one: one[:40]
)
def test_what_is_written_has_each_heading_once(name, text):
    headings = re.findall(r"^#+ .*$", text, re.MULTILINE)
    assert headings and not [heading for heading, n in Counter(headings).items() if n > 1]


@pytest.mark.parametrize(
    ("name", "text"), [*reference.written(), *targets.written(), *artifacts.written()], ids=lambda one: one[:40]
)
def test_what_is_written_from_schemas_and_declarations_is_current(name, text):
    assert (ROOT / name).read_text(encoding="utf-8") == text, "run make reference"


def test_the_pictures_show_the_rules_as_they_are(checkout):
    drawn = pictures.drawn(graph_of(checkout.graph("all", "--profile", "slurm")))
    for name, text in drawn.items():
        assert (ROOT / name).read_text(encoding="utf-8") == text, "run make reference"


# Links


def anchor(heading):
    """What GitHub and the built pages call a heading."""
    return re.sub(r"[^\w\- ]", "", heading.replace("`", "").strip().lower()).replace(" ", "-")


def anchors(path):
    text = re.sub(r"^ *```.*?^ *```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return {anchor(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}


@pytest.mark.parametrize("page", [*PAGES, "docs/index.md", "profiles/README.md", "profiles/slurm/README.md"])
def test_links_lead_somewhere(page):
    text = re.sub(r"^ *```.*?^ *```$", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", text)):
        if link.startswith(("http://", "https://")):
            continue
        file, _, place = link.partition("#")
        target = ((ROOT / page).parent / file).resolve() if file else ROOT / page
        assert target.exists(), f"{page}: {link}"
        if place:
            assert place in anchors(target), f"{page}: {link}"


def test_the_first_page_says_how_many_jobs_a_change_of_figures_runs(checkout):
    said = re.search(r"runs (\d+) of (\d+) jobs", (ROOT / "README.md").read_text(encoding="utf-8"))
    jobs = checkout.jobs("--profile", "miniature")
    figures = sum(jobs.get(target, 0) for target in FIGURES)
    assert (figures + jobs["report"], sum(jobs.values()) - jobs["all"]) == (int(said[1]), int(said[2]))


def test_the_first_page_is_short():
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 90
    assert max(map(len, lines)) <= 220
