"""Jobs that load the same model, sent to a real SLURM as one: what is loaded, what is asked for, what an error says."""

import re

import pytest

from support import slurm
from support.cluster_study import EVALUATED, Study

pytestmark = pytest.mark.skipif(bool(slurm.missing()), reason=slurm.missing() or "SLURM is here")

START = "judge_guard_a_0_judge"
LABELS = [f"results/cluster/judge/guard_a/{model}/refuseu_test.jsonl" for model in EVALUATED]


@pytest.fixture(scope="module")
def answered(cluster, tmp_path_factory):
    """The study with all answers and no label; the answers were given on this machine."""
    study = Study(tmp_path_factory.mktemp("starts"), cluster)
    with_gpus = (study.folder / "models.tsv").read_text()
    study.sheet("models", [row | {"gpus": 0} for row in study.rows])  # which are no business of a result
    study.run(targets=[label.replace("judge/guard_a", "generate") for label in LABELS], where=["--cores", "2"])
    study.overlay("models.tsv", with_gpus)
    return study


def logs(study):
    """What the three jobs say, by who was judged."""
    return {m: (study.results / f"logs/judge/guard_a/{m}/refuseu_test.log").read_text() for m in EVALUATED}


def test_three_evaluations_are_labelled_with_one_load_in_one_job_of_slurm(answered):
    answered.run(targets=LABELS)
    [job] = answered.jobs()
    assert (job.step, job.state) == (START, "COMPLETED")
    assert (job.gpus, job.cpus, job.minutes, job.megabytes) == (2, 16, 3 * 60, 64000)  # GPUs of one, time of three
    said = logs(answered)
    [loaded] = [model for model, log in said.items() if "Loading weights" in log]
    others = said.keys() - {loaded}
    assert set(re.findall(r"asking the loaded model for \S+/guard_a/(\S+)/", said[loaded])) == others
    assert all("journal: 48 of 48 answers known, 0 to ask" in said[model] for model in others)


def test_one_that_fails_is_told_with_its_cause_and_the_others_keep_their_answers(answered):
    for label in LABELS:
        (answered.folder / label).unlink()
    journals = {model: answered.results / f"journal/judge/guard_a/{model}/refuseu_test.jsonl" for model in EVALUATED}
    for journal in journals.values():
        journal.unlink()
    responses = answered.results / "generate/remote/refuseu_test.jsonl"
    right = responses.read_text()
    responses.write_text(right.replace('"language"', '"tongue"', 1))
    said = answered.run("--retries", "0", targets=LABELS, code=1)
    responses.write_text(right)
    assert answered.jobs()[-1].state == "FAILED"
    assert re.findall(r"✗ .*", said) == ["✗ judge guard_a remote refuseu_test: KeyError: 'language'"]
    assert not any((answered.folder / label).exists() for label in LABELS)
    assert all(journals[model].read_bytes().count(b"\n") >= 40 for model in EVALUATED if model != "remote")
