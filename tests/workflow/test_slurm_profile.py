"""What `snakemake --profile slurm` would ask a cluster for, by a dry run of the paper's study without SLURM."""

import re
from collections import Counter, defaultdict

import pytest
import yaml
from snakemake.utils import update_config

from refuseu.artifacts.declared import ARTIFACTS
from refuseu.study.starts import TOGETHER, Starts
from refuseu.study.study import Study
from support.helpers import ROOT, read_yaml

JOB = re.compile(r"^rule (\w+):\n((?: {4}.*\n)*)", re.MULTILINE)

LOCAL = re.compile(r"^localrules:\n((?: {4}\w+,\n)*)", re.MULTILINE)
LOCAL_RULE = re.compile(r"^rule (\w+):\n(?:(?: .*)?\n)*? {4}localrule: True\n", re.MULTILINE)


@pytest.fixture(scope="module")
def jobs(checkout):
    """(rule, wildcards, resources) of all jobs of the paper's study."""
    ended = checkout.snakemake("-n", "--profile", "slurm")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = []
    for rule, body in JOB.findall(ended.stdout + ended.stderr):
        given = dict(re.findall(r"^ {4}(\w+): (.*)$", body, re.MULTILINE))
        wildcards, resources = (
            dict(pair.split("=") for pair in given[key].split(", ")) if key in given else {}
            for key in ("wildcards", "resources")
        )
        found.append((rule, wildcards, {k: int(v) for k, v in resources.items() if v.isdigit()}))
    return found


def test_a_job_asks_for_the_gpus_of_its_model(jobs, paper):
    study = Study(paper, "config/config.yaml")
    asking = [(rule, wildcards, resources) for rule, wildcards, resources in jobs if resources.get("gpu")]
    assert {rule for rule, _, _ in asking} > {"generate_prompts", "label_answers", "reference", "align", "judge"}
    for rule, wildcards, resources in asking:
        assert resources["gpu"] == study.asked(rule, wildcards).gpus_for(rule) > 0
        assert not resources["api"] if "api" in resources else rule in ("reference", "align", "knowledge")


def test_what_runs_on_the_submit_host_downloads_or_reads_tables_and_takes_no_gpu_and_asks_no_api(jobs):
    texts = [file.read_text() for file in (ROOT / "rules").glob("*.smk")]
    local = {rule for text in texts for block in LOCAL.findall(text) for rule in re.findall(r"\w+", block)}
    local |= {rule for text in texts for rule in LOCAL_RULE.findall(text)}
    local |= {artifact.target for artifact in ARTIFACTS if artifact.kind != "page" and not artifact.heavy}
    assert local > {"fetch_model", "report", "metrics", "table1", "fig3", "verdicts"}
    here = [resources for rule, _, resources in jobs if rule in local]
    assert len(here) > 20
    assert not [resources for resources in here if resources.get("gpu") or resources.get("api")]
    of_records = {"measure", "compare", "agreement", "filter_prompts", "table6", "leakage", "load_benchmark"}
    assert not local & of_records


def test_jobs_behind_an_api_take_little_memory_and_count_as_api(jobs):
    asked = [(rule, resources) for rule, _, resources in jobs if resources.get("api")]
    assert {rule for rule, _ in asked} == {"translate_seeds", "translate_prompts", "label_prompts", "adjudicate"}
    assert {(resources["api"], resources["mem_mb"], resources.get("gpu", 0)) for _, resources in asked} == {
        (1, 8000, 0)
    }


def test_what_may_be_a_70b_gets_more_memory(jobs):
    memory = defaultdict(set)
    for rule, wildcards, resources in jobs:
        if rule in ("reference", "align"):
            memory["70b" in " ".join(wildcards.values())].add(resources["mem_mb"])
    assert memory == {True: {256000}, False: {64000}}


@pytest.mark.parametrize("more", ["config/korean.yaml", "config/released.yaml"])
def test_what_goes_to_the_queue_as_one_job_asks_for_24_hours_at_most_and_for_more_in_a_retry(paper, more):
    update_config(paper, read_yaml(more))
    starts, profile = Starts(Study(paper)), read_yaml("profiles/slurm/profile.yaml")
    kinds = {
        "generate": ("harmful", "benign", "fluency"),
        "judge": ("harmful", "benign"),
        "judge_fluency": ("fluency",),
    }
    assert kinds.keys() == TOGETHER.keys()
    for step, own in kinds.items():
        judge = {"judge": paper["judging"]["guards"][0]} if step == "judge" else {}
        jobs = [{"model": m, "benchmark": b} | judge for m, b in starts.study.evaluations(*own)]
        most = max(Counter(starts.of(step, job) for job in jobs).values())
        minutes = [eval(profile["set-resources"][step]["runtime"], {"attempt": n}) for n in range(1, 9)]
        assert minutes[0] < minutes[1]
        assert 3 * 60 < most * max(minutes) <= 24 * 60


def test_the_profile_never_sets_tasks_and_says_why_each_setting_is_there():
    text = (ROOT / "profiles/slurm/profile.yaml").read_text(encoding="utf-8")
    assert "tasks" not in text
    plain = [line for line in text.split("set-resources:")[0].splitlines() if re.match(r"[\w-]+: .", line)]
    assert len(plain) > 8
    assert [line for line in plain if "#" not in line] == ["executor: slurm"]


def test_the_partitions_have_names_and_gpus_where_the_plugin_reads_them():
    profile = yaml.safe_load((ROOT / "profiles/slurm/profile.yaml").read_text())
    partitions = yaml.safe_load((ROOT / "profiles/slurm" / profile["slurm-partition-config"]).read_text())
    assert partitions == {"partitions": {"cpu": {}, "gpu": {"max_gpu": 8}}}
