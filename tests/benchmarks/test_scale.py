"""Our graph against a naive one of equal outputs, with one job per model × benchmark × language × judge."""

import json
import os
import subprocess
import sys
import time

import yaml

from support.helpers import ROOT, Finished, adopt, keep

# As a beginner would write it.
NAIVE = """
import json
jobs = json.load(open("jobs.json"))
rule all:
    input: [f"table/{model}/{benchmark}.csv" for model, benchmark in jobs["asked"]]
rule train:
    output: "adapter/{model}.bin"
    script: "x.py"
rule generate:
    input: lambda w: f"adapter/{w.model}.bin" if w.model in jobs["trained"] else []
    output: "generate/{model}/{benchmark}/{language}.jsonl"
    script: "x.py"
rule judge:
    input: "generate/{model}/{benchmark}/{language}.jsonl"
    output: "judge/{judge}/{model}/{benchmark}/{language}.jsonl"
    script: "x.py"
rule verdict:
    input: expand("judge/{judge}/{{model}}/{{benchmark}}/{{language}}.jsonl", judge=jobs["judges"])
    output: "verdict/{model}/{benchmark}/{language}.jsonl"
    script: "x.py"
rule table:
    input: expand("verdict/{{model}}/{{benchmark}}/{language}.jsonl", language=jobs["languages"])
    output: "table/{model}/{benchmark}.csv"
    script: "x.py"
"""


def dry_run(folder, *arguments):
    """Seconds, peak memory in MB and number of jobs of a dry run."""
    start = time.perf_counter()
    with open(folder / "said.txt", "w") as out:
        command = [sys.executable, "-m", "snakemake", "--nolock", "-n", *arguments]
        process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=out)
        _, status, used = os.wait4(process.pid, 0)
    seconds, process.returncode = time.perf_counter() - start, os.waitstatus_to_exitcode(status)
    said = (folder / "said.txt").read_text()
    assert process.returncode == 0, said[-3000:]
    jobs = next((int(line.split()[1]) for line in said.splitlines() if line.startswith("total ")), 0)
    return {
        "seconds": round(seconds, 2),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 2),
        "mb": used.ru_maxrss // 1024,
        "jobs": jobs,
    }


def grow(folder, variants, languages):
    """So many times the paper's variants (as seeds) and languages (invented codes), in a checkout."""
    header, *rows = (folder / "config/variants.tsv").read_text(encoding="utf-8").splitlines()
    cells = [row.split("\t") for row in rows]
    many = ["\t".join([*c[:5], str(int(c[5]) + 10 * i), *c[6:]]) for i in range(variants) for c in cells]
    (folder / "config/variants.tsv").write_text("\n".join([header, *many, ""]), encoding="utf-8")
    codes = [f"q{chr(97 + i)}" for i in range(12 * (languages - 1))]
    with open(folder / "resources/languages.tsv", "a", encoding="utf-8") as table:
        table.writelines(f"{code}\t{code}\t{code}\t{code}\t{code}\t{code}\n" for code in codes)
    return codes


def measured(folder, variants, languages):
    """A dry run from scratch and one with everything there, in a checkout of so many times the paper's study."""
    ours = Finished(folder, "-c2", fill=False)  # like the naive one without the resources of a profile
    codes = grow(ours.folder, variants, languages)
    low = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))["languages"]["low_resource"]
    more = ("--configfile", ours.overlay("more.yaml", {"languages": {"low_resource": low + codes}}))
    ours.arguments += more
    scratch = dry_run(ours.folder, *ours.arguments)
    ours.fill()
    adopt(ours, "--profile", "slurm", *more)  # which hands out jobs faster
    return ours, {"from scratch": scratch, "no-op": dry_run(ours.folder, *ours.arguments)}


def naive(folder, jobs, languages):
    """A dry run of the naive Snakefile for the models and benchmarks of these jobs."""
    words = [job.split() for job in jobs]
    sizes = {
        "asked": [word[1:] for word in words if word[0] in ("generate", "knowledge")],
        "trained": [word[1] for word in words if word[0] == "align"],
        "judges": sorted({word[1] for word in words if word[0] == "judge"}),
        "languages": [f"l{i}" for i in range(languages)],
    }
    folder.mkdir()
    for name, text in {"Snakefile": NAIVE, "jobs.json": json.dumps(sizes), "x.py": ""}.items():
        (folder / name).write_text(text)
    return dry_run(folder, "--scheduler", "greedy")


def test_dry_runs_against_a_naive_snakefile_and_their_growth(tmp_path):
    found = {}
    for variants, languages in ((1, 1), (10, 3)):
        folder = tmp_path / f"{variants}x{languages}"
        folder.mkdir()
        ours, found[f"{variants}x variants, {languages}x languages"] = measured(folder, variants, languages)
        if (variants, languages) == (1, 1):
            found["naive"] = naive(tmp_path / "naive", ours.all, 12)
    small, large = (found[key] for key in found if key != "naive")
    per_job = [runs["from scratch"]["cpu_seconds"] / runs["from scratch"]["jobs"] for runs in (small, large)]
    found["naive_over_ours"] = found["naive"]["cpu_seconds"] / small["from scratch"]["cpu_seconds"]
    found["seconds_per_job_large_over_small"] = per_job[1] / per_job[0]
    keep("scale", found)
    assert small["no-op"]["jobs"] == large["no-op"]["jobs"] == 0
    assert large["from scratch"]["jobs"] < 10 * small["from scratch"]["jobs"]  # no job is per language
    assert found["naive_over_ours"] > 3
    assert found["seconds_per_job_large_over_small"] < 1.5
