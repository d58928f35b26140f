"""The whole cut of the miniature by `snakemake --profile slurm` on a real SLURM: who ran where, and what came out."""

import os
from collections import Counter

import pandas as pd
import pytest

from support import slurm
from support.cut import Cut

pytestmark = [
    pytest.mark.skipif(bool(slurm.missing()), reason=slurm.missing() or "SLURM is here"),
    pytest.mark.skipif(
        "REFUSEU_SLURM_CUT" not in os.environ,
        reason="300 jobs, each with imports of its own, take half an hour; set REFUSEU_SLURM_CUT=1",
    ),
]

# What asks a model, or trains one that a row of models.tsv names.
ON_GPUS = {
    "generate_prompts", "label_prompts", "answer_prompts", "label_answers", "reference", "align", "generate",
    "judge", "adjudicate", "judge_fluency", "knowledge",
}  # fmt: skip
# Jobs at a time: the nodes have 64 cores on paper, this machine has not.
JOBS = 3


@pytest.fixture(scope="module")
def submitted(cluster, tmp_path_factory):
    """The cut, whose every model takes a GPU, run by SLURM."""
    folder = tmp_path_factory.mktemp("submitted")
    cut = Cut(folder)
    # One thread, as the miniature's profile has it; another order of sums would be another rounding.
    cut.environ |= cluster.user(folder) | {"OMP_NUM_THREADS": "1"}
    models = pd.read_csv(cut.folder / "config/miniature/models.tsv", sep="\t", dtype=str, keep_default_na=False)
    models.assign(gpus="1", training_gpus="").to_csv(cut.folder / "models.tsv", sep="\t", index=False)
    cut.overlay("gpus.yaml", {"sheets": {"models": "models.tsv"}})
    cut.planned = cut.jobs(*cut.arguments(configs=["gpus.yaml"]))
    cut.run("--jobs", str(JOBS), profile="slurm", configs=["gpus.yaml"])
    cut.submitted = cluster.jobs(cut.folder)
    return cut


def test_every_job_is_done_once_on_a_node_or_is_light(submitted):
    assert {job.state for job in submitted.submitted} == {"COMPLETED"}
    on_nodes, all_jobs = Counter(job.rule for job in submitted.submitted), Counter(submitted.planned)
    light = all_jobs - on_nodes
    assert on_nodes == all_jobs - light
    assert light.keys().isdisjoint(ON_GPUS | {"train_model", "measure", "compare", "filter_prompts"})


def test_who_asks_a_model_gets_a_gpu_and_nobody_else(submitted):
    assert {job.rule for job in submitted.submitted if job.gpus} == ON_GPUS
    for job in submitted.submitted:
        assert job.gpus == (job.rule in ON_GPUS), job.step
        assert job["Partition"] == ("gpu" if job.gpus else "cpu"), job.step


def test_what_comes_out_is_what_came_out_here(submitted, undisturbed):
    expected, found = undisturbed.artifacts(), submitted.artifacts()
    different = [name for name in expected if found.get(name) != expected[name]]
    # It tells the GPU-hours, which only the cluster's runs have.
    assert [name for name in different if not name.startswith(("tables/open_question", "figures/open_question"))] == []
