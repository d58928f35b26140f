"""`snakemake --profile slurm` on a real SLURM: who ran where and with what, and what accidents leave behind."""

import itertools
import json
import os
import re
import signal
from collections import Counter

import pytest

from support import slurm
from support.cluster_study import EVALUATED, VARIANT, Study
from support.slurm import until

pytestmark = pytest.mark.skipif(bool(slurm.missing()), reason=slurm.missing() or "SLURM is here")

HELD = "generate remote_refuseu_test"  # its server gives ten answers until the third start
JOBS = Counter(
    {
        "load_dataset": 1, "train_tokenizer": 1, "train_model": 1, "load_benchmark": 1,
        "reference": 1, "align": 1, "generate": 3, "judge": 6, "adjudicate": 3,
    }
)  # fmt: skip
# What loads the same model is one job of SLURM: guard A's three.
STARTS = {"generate_small_generate": 1, f"generate_{VARIANT}_generate": 1, "judge_guard_a_0_judge": 2}  # and their GPUs
SENT = JOBS - Counter(generate=2, judge=3) + Counter(dict.fromkeys(STARTS, 1))


@pytest.fixture(scope="module")
def undisturbed(cluster, tmp_path_factory):
    """The study, run by SLURM in one go."""
    study = Study(tmp_path_factory.mktemp("undisturbed"), cluster)
    study.run()
    return study


def test_each_job_or_start_of_a_model_is_one_job_of_slurm_and_only_light_ones_run_here(undisturbed):
    assert Counter(job.rule for job in undisturbed.jobs()) == SENT
    assert {job.state for job in undisturbed.jobs()} == {"COMPLETED"}
    on_submit_host = set(re.findall(r"^localrule (\w+):", undisturbed.told(), re.MULTILINE))
    assert on_submit_host == {"training_curves", "verdicts"}
    assert len(undisturbed.files()) > 20


def test_jobs_get_the_gpus_of_their_model_and_all_others_none(undisturbed):
    asked = {"reference small": 1, f"align {VARIANT}": 1, **STARTS}
    assert {job.step: job.gpus for job in undisturbed.jobs() if job.gpus} == asked
    for job in undisturbed.jobs():
        assert job["Partition"] == ("gpu" if job.gpus else "cpu"), job.step
        assert job.cpus == 8 * job.gpus or (job.gpus, job.cpus) == (0, 1), job.step


def test_jobs_get_the_memory_and_time_of_the_profile(undisturbed):
    jobs = {job.rule: job for job in undisturbed.jobs()}
    asked = {rule: (jobs[rule].minutes, jobs[rule].megabytes) for rule in ("align", "judge", "load_benchmark")}
    assert asked == {"align": (720, 64000), "judge": (60, 64000), "load_benchmark": (60, 8000)}
    assert (jobs["judge_guard_a_0_judge"].minutes, jobs["judge_guard_a_0_judge"].megabytes) == (3 * 60, 64000)


def test_a_model_is_loaded_once_for_all_that_are_sent_as_one(undisturbed):
    logs = [(undisturbed.results / f"logs/judge/guard_a/{m}/refuseu_test.log").read_text() for m in EVALUATED]
    [loading] = [log for log in logs if "asking the loaded model for" in log]
    assert loading.count("asking the loaded model for") == 2
    told = [log for log in logs if log is not loading]
    assert all(re.search(r"journal: (\d+) of \1 answers known, 0 to ask", log) for log in told)


def test_the_time_and_memory_of_each_job_are_measured(undisturbed):
    folder = undisturbed.results / "benchmarks"
    measured = sorted(folder.rglob("*.tsv"))
    assert Counter(file.relative_to(folder).parts[0] for file in measured) == JOBS
    for file in measured:
        header, values = file.read_text(encoding="utf-8").splitlines()
        assert dict(zip(header.split("\t"), values.split("\t"), strict=True))["s"] != "NA"


def test_no_more_jobs_than_the_profile_says_talk_to_an_api_at_a_time(undisturbed):
    of_api = [job for job in undisturbed.jobs() if re.search("remote_refuseu|guard_b|adjudicate", job.step)]
    assert len(of_api) == 1 + 3 + 3
    for three in itertools.combinations(of_api, 3):
        assert not all(a.overlaps(b) for a, b in itertools.combinations(three, 2))


def test_no_key_is_in_what_slurm_and_the_study_wrote(undisturbed):
    folders = (undisturbed.results, undisturbed.folder / ".snakemake")
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 50
    assert not [path for path in files if b"canary-key" in path.read_bytes()]


def test_a_second_run_submits_nothing(undisturbed):
    before = len(undisturbed.jobs())
    assert "Nothing to be done" in undisturbed.run()
    assert len(undisturbed.jobs()) == before


@pytest.fixture(scope="module")
def disturbed(cluster, undisturbed, tmp_path_factory):
    """The same study with one accident after the other; its tests follow in this order."""
    study = Study(tmp_path_factory.mktemp("disturbed"), cluster)
    study.models.hold("remote", 10)
    yield study
    if study.process.poll() is None:
        os.killpg(study.process.pid, signal.SIGKILL)


def test_ctrl_c_cancels_what_was_submitted_and_unlocks(disturbed):
    run = disturbed.start()
    disturbed.running(HELD, run)
    until(lambda: disturbed.journal("generate/remote/refuseu_test.jsonl") == 10, "ten answers are in the journal")
    os.killpg(run.pid, signal.SIGINT)
    assert run.wait() != 0
    until(lambda: {job.state for job in disturbed.jobs()} <= {"COMPLETED", "CANCELLED"}, "all jobs have ended")
    assert disturbed.jobs(HELD, "CANCELLED")
    assert not list(disturbed.folder.glob(".snakemake/locks/*"))


def test_a_killed_main_process_is_followed_by_another_only_when_its_jobs_are_gone(disturbed):
    run = disturbed.start()
    left = disturbed.running(HELD, run)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    assert "the results are locked by a run that is gone" in disturbed.run(code=1)
    disturbed.run("--unlock")
    before = len(disturbed.jobs())
    said = disturbed.run(code=1)
    assert "Traceback" not in said and len(disturbed.jobs()) == before
    assert [job.id for job in disturbed.jobs(HELD, "RUNNING")] == [left.id]
    [cure] = re.findall(
        r"^refuseu: \d+ of the jobs to run are with SLURM already.*`(scancel --name [\w-]+)`", said, re.M
    )
    disturbed.cluster.command(*cure.split())
    until(lambda: {job.state for job in disturbed.jobs()} <= {"COMPLETED", "CANCELLED"}, "all jobs have ended")
    assert [job.state for job in disturbed.jobs(HELD)] == ["CANCELLED"] * 2


def test_jobs_that_are_cut_go_on_where_they_were(disturbed):
    study, cluster = disturbed, disturbed.cluster
    before = {job.id for job in study.jobs()}
    study.models.hold("guard_b", 15)
    run = study.start()

    def wait(condition, what):
        def alive():
            assert run.poll() is None, study.said()[-6000:]
            return condition()

        until(alive, what)

    # The controller is restarted while jobs run.
    study.running(HELD, run)
    assert study.journal("generate/remote/refuseu_test.jsonl") == 10  # from before
    cluster.stop_controller()
    cluster.start_controller()
    study.models.release("remote")

    # The time of a generation and of a training is up.
    generation, training = "generate_small_generate", f"align {VARIANT}"
    wait(lambda: study.journal("generate/small/refuseu_test.jsonl"), "an answer is in the journal")
    cluster.out_of_time(study.running(generation, run))
    answers = study.journal("generate/small/refuseu_test.jsonl")
    checkpoints = study.results / "journal/align" / VARIANT
    wait(lambda: list(checkpoints.rglob("checkpoint-*/trainer_state.json")), "there is a checkpoint")
    cluster.out_of_time(study.running(training, run))

    # A job is killed, then cancelled, while others wait for their time to be up.
    judging = "judge guard_b_remote_refuseu_test"
    for answered, accident in ((15, "kill"), (30, "scancel")):
        wait(lambda n=answered: study.journal("judge/guard_b/remote/refuseu_test.jsonl") == n, "the guard is held up")
        job = study.running(judging, run)
        if accident == "kill":
            cluster.signal(job, signal.SIGKILL)
            wait(lambda: study.jobs(judging, "FAILED"), "SLURM saw the kill")
            study.models.release("guard_b")
            study.models.hold("guard_b", 15)
        else:
            cluster.command("scancel", job.id)
            wait(lambda: study.jobs(judging, "CANCELLED"), "SLURM cancelled")
            study.models.release("guard_b")

    # A node is lost.
    lost = f"generate_{VARIANT}_generate"
    wait(lambda: study.journal(f"generate/{VARIANT}/refuseu_test.jsonl"), "an answer is in the journal")
    job = study.running(lost, run)
    cluster.signal(job, signal.SIGSTOP)
    cluster.update(NodeName=job["NodeList"], State="DOWN", Reason="drill")

    assert run.wait() == 0, study.said()[-6000:]
    new = [job for job in study.jobs() if job.id not in before]
    states = {step: [j.state for j in new if j.step == step] for step in (generation, training, judging, lost)}
    assert states == {
        generation: ["TIMEOUT", "COMPLETED"],
        training: ["TIMEOUT", "COMPLETED"],
        judging: ["FAILED", "CANCELLED", "COMPLETED"],
        lost: ["COMPLETED"],
    }
    assert [job.minutes for job in study.jobs(generation)] == [1, 240]
    assert [job.minutes for job in study.jobs(training)] == [1, 1440]
    [requeued] = study.jobs(lost)
    assert requeued["Restarts"] == "1" and requeued["NodeList"] != job["NodeList"]
    log = (study.results / "logs/generate/small/refuseu_test.log").read_text()
    assert f"journal: {answers} of" in log


def test_after_all_that_the_artifacts_are_those_of_the_undisturbed_run(disturbed, undisturbed):
    assert disturbed.files().keys() == undisturbed.files().keys()
    assert [name for name, data in undisturbed.files().items() if disturbed.files()[name] != data] == []


def test_nothing_ran_twice_at_once_and_no_answer_was_paid_twice(disturbed, undisturbed):
    for a, b in itertools.combinations(disturbed.jobs(), 2):
        assert a.step != b.step or not a.overlaps(b), a.step
    # Where two models answered alike, guard_b and the adjudicator are asked twice if they are at both at once.
    responses = disturbed.results.glob("generate/*/*.jsonl")
    said = Counter((row["prompt"], row["response"]) for path in responses for row in map(json.loads, path.open()))
    paid = disturbed.models.answered
    assert paid.keys() == undisturbed.models.answered.keys()
    assert paid.total() - len(paid) <= 2 * (said.total() - len(said))
