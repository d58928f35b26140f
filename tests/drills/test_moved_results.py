"""Results that come from elsewhere, as an archive that keeps no file times."""

import shutil

import pytest

from support.helpers import Checkout, Finished, adopt, inside
from support.studies import STUDIES


@pytest.fixture(scope="module", params=STUDIES)
def study(request, tmp_path_factory):
    """A finished study."""
    return Finished(tmp_path_factory.mktemp(request.param), *STUDIES[request.param].profile)


def moved(study, folder, *parts):
    """A fresh checkout with parts of a finished one copied in."""
    copy = Checkout(folder, study.folder)
    for part in parts:
        shutil.copytree(study.folder / part, copy.folder / part, copy_function=shutil.copyfile)
    return copy


def test_results_and_metadata_copied_without_times_rerun_nothing_and_notice_changes(study, tmp_path):
    copy = moved(study, tmp_path, "results", ".snakemake/metadata")
    assert copy.planned(*study.arguments) == set()
    module = "workflow/scripts/refuseu/artifacts/safety.py"
    with study.edited(module, inside("fig4")):
        shutil.copyfile(study.folder / module, copy.folder / module)
    assert copy.planned(*study.arguments) == {"fig4", "report", "all"}


def test_results_copied_alone_are_adopted_by_one_command_and_then_rerun_nothing(study, tmp_path):
    copy = moved(study, tmp_path, "results")
    adopt(copy, *study.arguments)
    assert copy.planned(*study.arguments) == set()
