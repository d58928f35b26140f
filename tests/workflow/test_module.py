"""This workflow as a module of somebody's own, and as the Snakemake workflow catalogue finds it."""

import shutil

import pytest

from refuseu.runner.home import READ
from refuseu.runner.provenance import code_digest
from support.helpers import Checkout, needed

MODULE = """
configfile: "config/config.yaml"
module refuseu:
    snakefile: "{snakefile}"
    config: config
use rule * from refuseu{names}
"""
OWN = """
rule mine:
    output: "mine.txt"
    script: "mine.py"
"""
CODE = """
for rule in workflow.rules:
    if rule.name in ("mine", "safety_claims"):
        print("code of", rule.name, rule.params.get("code"))
"""
STUDIES = {"miniature": ("--profile", "profiles/miniature"), "paper": ("--profile", "profiles/slurm")}


class Parent(Checkout):
    """A workflow with this one as a module: a config of its own, and links to what `READ` names."""

    def __init__(self, folder, origin, linked=READ):
        self.folder, self.origin, self.environ = folder, origin.folder, origin.environ
        for own in ("config", "profiles"):
            shutil.copytree(self.origin / own, folder / own, symlinks=True)
        for read in linked:
            (folder / read).parent.mkdir(exist_ok=True)
            (folder / read).symlink_to(self.origin / read)
        self.write()

    def write(self, snakefile="Snakefile", names="", before="", after=""):
        text = MODULE.format(snakefile=self.origin / snakefile, names=names)
        return self.overlay("Snakefile", before + text + after)


@pytest.fixture(scope="module")
def parent(checkout, tmp_path_factory):
    return Parent(tmp_path_factory.mktemp("parent"), checkout)


@pytest.mark.parametrize("study", STUDIES)
def test_a_module_has_the_jobs_of_the_study(parent, whole, study):
    parent.write()
    assert parent.planned(*STUDIES[study]) == needed(whole(study), "all")


def test_a_module_may_bear_other_names_and_stand_beside_rules_of_ones_own(parent, whole):
    parent.write(names=" as safety_*", before=OWN, after=CODE)
    ended = parent.snakemake("-n", "safety_table1", *STUDIES["miniature"])
    assert ended.returncode == 0, ended.stderr
    wanted = {f"code of safety_claims {code_digest('claims.py')}", "code of mine None"}
    assert wanted <= set(ended.stdout.splitlines())
    planned = parent.planned("safety_table1", *STUDIES["miniature"])
    assert planned == {f"safety_{job}" for job in needed(whole("miniature"), "table1")}


def test_what_a_module_is_asked_to_do_is_checked_before_the_first_job(parent):
    parent.write(names=" as safety_*")
    ended = parent.snakemake("-c1", "safety_fig3", "--configfile", "config/released.yaml")
    assert ended.returncode == 1 and "GPU(s) and this machine has none; run the study on" in ended.stderr
    [results] = (parent.folder / "results").iterdir()
    assert results.stat().st_mode & 0o777 == 0o700


def test_a_module_without_the_links_names_the_command_that_makes_them(checkout, tmp_path):
    bare = Parent(tmp_path, checkout, linked=READ[:1])
    ended = bare.snakemake("-n", "all", *STUDIES["miniature"])
    assert ended.returncode == 1 and "Traceback" not in ended.stderr
    command = f"ln -s {checkout.folder / 'workflow/report'} workflow && ln -s "
    assert "refuseu: workflow/report, workflow/schemas, workflow/templates not found" in ended.stderr
    assert command in ended.stderr and "ln -s " + str(checkout.folder / "resources") not in ended.stderr


@pytest.mark.parametrize("as_module", [False, True])
def test_the_catalogue_finds_the_study_below_workflow(checkout, parent, whole, as_module):
    wanted = needed(whole("miniature"), "all") - {"all"} | {"everything"}
    if as_module:
        parent.write("workflow/Snakefile")
        assert parent.planned(*STUDIES["miniature"]) == wanted
    else:
        assert checkout.planned("-s", "workflow/Snakefile", *STUDIES["miniature"]) == wanted
