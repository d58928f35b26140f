"""What tables and figures show."""

import pytest

from refuseu.study import selection
from refuseu.study.study import Study


@pytest.mark.parametrize("study", ["paper", "miniature"])
def test_an_artifact_shows_no_model_without_measures(study, request):
    study = Study(request.getfixturevalue(study))
    for artifact in selection.SHOWN:
        assert {model for model, _ in selection.evaluations(study, artifact)} == set(selection.models(study, artifact))


def test_a_run_is_shown_where_it_was_evaluated(miniature):
    study = Study(miniature)
    where = {artifact for artifact in selection.SHOWN if "small-sft-s1" in selection.models(study, artifact)}
    assert {"table1", "outcomes_table", "fig3", "fig8"} <= where
    assert where.isdisjoint({"table3", "rtp_lx", "polyglotox", "fig6", "fig7", "fig10"})
