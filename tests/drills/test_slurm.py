"""`snakemake --profile slurm` on a real SLURM: who ran where and with what, and what accidents leave behind."""

import csv
import hashlib
import itertools
import json
import os
import re
import signal
import subprocess
import threading
from collections import Counter

import pandas as pd
import pytest

from support import slurm
from support.helpers import ROOT, Checkout, Drop, Server, chat_completion, read_yaml
from support.slurm import until

pytestmark = pytest.mark.skipif(bool(slurm.missing()), reason=slurm.missing() or "SLURM is here")

LANGUAGES, PAIRS, PROMPTS = ("en", "pl"), 30, 24
VARIANT = "small-balanced-s1"
EVALUATED = ("small", "remote", VARIANT)
HELD = "generate remote_refuseu_test"  # its server gives ten answers until the third start

# Rows of the sheets; what is not said is empty. The base has one GPU, and guard A is the base again, on two.
TINY = {"backend": "transformers", "repository": "<study>/train_model/small_instruct", "revision": "local"}
MODELS = [
    {"model": "small", "roles": "base", "base": "small", "format": "chat", "dtype": "float32", "gpus": 1, **TINY},
    {"model": "guard_a", "roles": "guard", "format": "llama_guard_3", "dtype": "float32", "gpus": 2, **TINY},
]
REMOTE = {
    "remote": ("open,generator", "chat"),
    "guard_b": ("guard", "polyguard"),
    "adjudicator": ("adjudicator", "classify"),
    "rater": ("fluency_judge", "rating"),
}
VARIANTS = [
    {"variant": "balanced", "base": "small", "languages": "all", "method": "dpo", "recipe": "few_steps", "seed": 1}
]
BENCHMARKS = [
    {"benchmark": "refuseu_test", "source": "refuseu", "kind": "harmful", "languages": "all", "mode": "chat"}
    | {"max_new_tokens": 96, "models": "all", "revision": "dataset"}
]
JOBS = Counter(
    {
        "load_dataset": 1, "train_tokenizer": 1, "train_model": 1, "load_benchmark": 1,
        "reference": 1, "align": 1, "generate": 3, "judge": 6, "adjudicate": 3,
    }
)  # fmt: skip
# What loads the same model is one job of SLURM: guard A's three.
STARTS = {"generate_small_generate": 1, f"generate_{VARIANT}_generate": 1, "judge_guard_a_0_judge": 2}  # and their GPUs
SENT = JOBS - Counter(generate=2, judge=3) + Counter(dict.fromkeys(STARTS, 1))


def turns(prompt, answer):
    return [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]


class Models(Server):
    """API models whose answers depend on what they are asked alone. Any can be held up after so many answers."""

    def __init__(self):
        self.answered, self.left, self.gates = Counter(), {}, {}
        self.counting = threading.Lock()
        super().__init__(self.reply)

    def hold(self, name, answers):
        """Let a model give so many more answers and then none until `release`."""
        self.gates[name] = threading.Event()
        self.left[name] = answers

    def release(self, name):
        """Let those who wait ask again."""
        self.left[name] = None
        self.gates[name].set()

    def reply(self, path, headers, body):
        name = json.loads(body)["model"]
        with self.counting:
            held = self.left.get(name) == 0
            if self.left.get(name):
                self.left[name] -= 1
            if not held:
                self.answered[body] += 1
        if held:
            self.gates[name].wait()
            raise Drop
        yes = int(hashlib.sha256(body.encode()).hexdigest(), 16) % 2
        text = {
            "remote": "I cannot help with that." if yes else "Of course.",
            "guard_b": f"Harmful response: {'yes' if yes else 'no'}",
            "adjudicator": "unsafe\nS1" if yes else "safe",
        }[name]
        return 200, chat_completion(text)


class Study(Checkout):
    """The study in a checkout of its own, with servers of its own."""

    def __init__(self, folder, cluster):
        super().__init__(folder)
        self.cluster, self.models = cluster, Models()
        self.results = self.folder / "results/cluster"
        self.environ |= cluster.user(folder) | {"OPENAI_API_KEY": "canary-key-4242"}
        remote = []
        for name, (roles, format) in REMOTE.items():
            row = {"model": name, "roles": roles, "format": format, "backend": "openai", "repository": name}
            remote.append(row | {"revision": "api", "dtype": "auto", "gpus": 0, "endpoint": f"{self.models.url}/v1"})
        self.sheet("models", MODELS + remote)
        self.sheet("variants", VARIANTS)
        self.sheet("benchmarks", BENCHMARKS)
        self.write_rows()

    def sheet(self, name, rows):
        """A sheet with the columns that the miniature's has."""
        columns = (ROOT / f"config/miniature/{name}.tsv").read_text(encoding="utf-8").splitlines()[0].split("\t")
        lines = ["\t".join(str(row.get(column, "")) for column in columns) for row in rows]
        self.overlay(f"{name}.tsv", "\n".join(["\t".join(columns), *lines, ""]))

    def write_rows(self):
        """Bundled requests, refusals and answers without substance, in the released layout."""
        with open(ROOT / "resources/miniature/translation_memory.tsv", encoding="utf-8", newline="") as lines:
            memory = list(csv.DictReader(lines, delimiter="\t"))
        frames, activities = ([r for r in memory if r["id"].startswith(f"{kind}/")] for kind in ("frame", "activity"))
        asked = []
        for code in LANGUAGES:
            texts = read_yaml(f"resources/miniature/languages/{code}.yaml")
            prompts = [f[code].replace("{activity}", a[code]) for a in activities for f in frames]
            (self.folder / f"rows/lang_{code}").mkdir(parents=True)
            answers = {side: texts[kind] for side, kind in (("chosen", "refusals"), ("rejected", "compliances"))}
            pairs = [
                {"lang": code, "id": f"{n:03}", "row_id": n, "category": "S1"}
                | {side: turns(prompt, said[n % len(said)]) for side, said in answers.items()}
                for n, prompt in enumerate(prompts[:PAIRS])
            ]
            pd.DataFrame(pairs).to_parquet(self.folder / f"rows/lang_{code}/train-00000-of-00001.parquet")
            asked += [{"row_id": n, "lang": code, "prompt": p} for n, p in enumerate(prompts[-PROMPTS:])]
        (self.folder / "rows/evaluation").mkdir()
        pd.DataFrame(asked).to_parquet(self.folder / "rows/evaluation/eval-00000-of-00001.parquet")

    def start(self, *more):
        """`snakemake --profile slurm`, in a process group of its own, as a terminal would."""
        targets = ["verdicts", "training_curves", *more]
        configs = ["config/miniature/config.yaml", "tests/config/cluster.yaml"]
        self.process = subprocess.Popen(
            ["snakemake", "--profile", "slurm", *targets, "--configfile", *configs],
            cwd=self.folder,
            env=self.environ,
            stdout=open(self.folder / "run.log", "w"),  # noqa: SIM115 (lives as long as the run)
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        return self.process

    def run(self, *more, code=0):
        """A run to its end, and what it said."""
        ended = self.start(*more).wait()
        assert ended == code, self.said()[-6000:]
        return self.said()

    def said(self):
        return (self.folder / "run.log").read_text()

    def jobs(self, step=None, state=None):
        """SLURM's records, of one step and in one state."""
        return [
            job for job in self.cluster.jobs(self.folder) if step in (None, job.step) and state in (None, job.state)
        ]

    def running(self, step, run):
        """The job of a step, as soon as its script runs."""

        def found():
            assert run.poll() is None, self.said()[-6000:]
            return next((job for job in self.jobs(step, "RUNNING") if any(self.cluster.processes(job))), None)

        return until(found, f"{step} runs")

    def journal(self, name):
        """Number of answers in a journal."""
        path = self.results / "journal" / name
        return path.read_bytes().count(b"\n") if path.exists() else 0

    def files(self):
        """Bytes of all results by name; not the manifests, which tell the time, nor PEFT's list of modules, whose
        order is chance."""
        return {
            str(path.relative_to(self.results)): path.read_bytes()
            for path in sorted(self.results.rglob("*"))
            if path.is_file()
            and path.relative_to(self.results).parts[0] not in ("journal", "logs", "benchmarks")
            and path.name not in ("manifest.json", "adapter_config.json", "training_args.bin")
            and path.suffix not in (".pdf", ".png")
        }


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
