"""What a change reruns, run for real on a dataset made by servers: nothing is asked that need not be."""

import json
import os
import shutil
from collections import Counter

import pytest

from support.apis import KEY, Study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    study = Study(tmp_path_factory.mktemp("study"))
    study.run()
    return study


def run(study, *more):
    """A run with these overlays; what was asked in it, by model, and what it said."""
    before = Counter(study.asked()[1])
    ended = study.snakemake(*study.arguments(), *more)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    asked = Counter(study.asked()[1]) - before
    return Counter(json.loads(request)["model"] for request in asked.elements()), ended.stdout + ended.stderr


def test_results_copied_alone_are_adopted_without_keys_and_servers(study, tmp_path):
    (tmp_path / "copy").mkdir()
    copy = Study(tmp_path / "copy")
    for name in ("models.tsv", "deepl.yaml"):
        shutil.copyfile(study.folder / name, copy.folder / name)
    shutil.copytree(study.folder / "results", copy.folder / "results", copy_function=shutil.copyfile)
    del copy.environ["DEEPL_AUTH_KEY"]
    _, *arguments = copy.arguments()
    ended = copy.snakemake("--touch", "--forceall", "-c1000", *arguments)
    assert ended.returncode == 0 and KEY not in ended.stderr, ended.stdout + ended.stderr
    asked, said = run(copy)
    assert not asked and "Nothing to be done" in said
    assert copy.files() == study.files()


def test_each_change_asks_for_what_it_changes(study):
    made, texts = study.files(), study.asked()[0]
    # A language that is only evaluated, comments and file times: nothing.
    more = {"languages": {"low_resource": ["pl", "et"]}, "evaluation_only": ["et"]}
    with open(study.folder / "workflow/scripts/refuseu/evaluation/guards.py", "a", encoding="utf-8") as module:
        module.write("\n# The end.\n")
    for file in study.folder.rglob("*"):
        if file.is_file():
            os.utime(file)
    asked, said = run(study, study.overlay("et.yaml", more))
    assert not asked and "Nothing to be done" in said
    # A guard: its own labels, and answers to prompts that were not kept before.
    rows = (study.folder / "models.tsv").read_text(encoding="utf-8")
    old = next(row for row in rows.splitlines() if row.startswith("guard_b\t"))
    study.overlay("models.tsv", rows.replace(old, old.replace("\tauto\t", "\tfloat16\t")))
    asked, _ = run(study)
    assert set(asked) == {"guard_b"}
    assert study.files() == made
    # More prompts per slot: those that are new, their labels and answers.
    asked, _ = run(study, study.overlay("more.yaml", {"dataset": {"prompts_per_slot": 5}}))
    assert asked["generator"] == 3 * 3 * 3
    assert study.asked()[0] == texts
