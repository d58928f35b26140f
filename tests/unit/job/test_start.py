"""How a script becomes a job: its log, its exit code, and what the user sees."""

import os
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest

from refuseu.job.start import script
from support.helpers import SCRIPTS
from support.jobs import HEAD, Job


@pytest.fixture
def job(tmp_path):
    return lambda body, head="": Job(tmp_path, body, head)


def test_a_job_that_ends_well_exits_with_0_and_says_nothing(job):
    made = job('open(snakemake.output[0], "w").write("done")')
    ended = made.run()
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert made.output.read_text() == "done"


def test_all_that_is_written_goes_to_the_log(job):
    made = job(
        """import logging, os, subprocess, sys, warnings
print("printed")
print("to stderr", file=sys.stderr)
logging.getLogger("refuseu").info("logged")
warnings.warn("warned")
os.write(1, b"from C\\n")
subprocess.run(["echo", "from a child"])"""
    )
    ended = made.run()
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    log = made.log.read_text()
    for text in ("printed", "to stderr", "INFO logged", "warned", "from C", "from a child"):
        assert text in log


def test_a_mistake_of_the_user_is_one_line_on_the_terminal_without_a_traceback(job):
    made = job('raise UserError("config.yaml: the key is wrong; mend it")')
    ended = made.run()
    assert ended.returncode == 1
    assert ended.stderr == "a_rule: config.yaml: the key is wrong; mend it\n"
    assert ended.stdout == ""
    log = made.log.read_text()
    assert "ERROR config.yaml: the key is wrong; mend it" in log
    assert "Traceback" not in log


def test_any_other_error_leaves_its_traceback_in_the_log(job):
    made = job('{}["nothing"]')
    ended = made.run()
    assert ended.returncode == 1
    log = made.log.read_text()
    assert "Traceback" in log and "KeyError: 'nothing'" in log and "a_rule failed" in log
    assert "Traceback" not in ended.stderr


def test_a_script_that_exits_keeps_its_exit_code(job):
    assert job("raise SystemExit(3)").run().returncode == 3


def test_a_new_run_starts_a_new_log(job):
    made = job('print("once")')
    made.run()
    made.run()
    assert made.log.read_text().count("once") == 1


def test_the_hubs_are_offline_and_telemetry_is_off_unless_set_otherwise(job):
    made = job('import os; print(os.environ["HF_HUB_OFFLINE"], os.environ["HF_HUB_DISABLE_TELEMETRY"])')
    made.run()
    assert made.log.read_text() == "1 1\n"
    made.run(HF_HUB_OFFLINE="0")
    assert made.log.read_text() == "0 1\n"


def test_a_job_knows_whether_the_user_or_the_workflow_set_the_hubs_offline(job):
    made = job("from refuseu.job.environment import asked_offline; print(asked_offline())")
    for environ, said in (({}, "False"), ({"HF_HUB_OFFLINE": "1"}, "True"), ({"HF_HUB_OFFLINE": "0"}, "False")):
        made.run(**environ)
        assert made.log.read_text() == f"{said}\n"


def test_a_child_that_a_library_spawns_does_not_run_the_job_again(job):
    made = job(
        """import multiprocessing
print("main starts")
with multiprocessing.get_context("spawn").Pool(2) as pool:
    print(sorted(pool.map(square, [1, 2, 3])))""",
        head="def square(n):\n    return n * n\n",
    )
    assert made.run().returncode == 0
    log = made.log.read_text()
    assert log.count("main starts") == 1
    assert "[1, 4, 9]" in log


def test_outside_of_snakemake_a_script_stays_importable():
    ran = []
    main = script(lambda snakemake: ran.append(snakemake.x))
    assert ran == []
    main(SimpleNamespace(x=1))
    assert ran == [1]


SNAKEFILE = """
rule all:
    input: "good.txt", "bad.txt", "broken.txt"
rule good:
    output: "good.txt"
    log: "logs/good.log"
    script: "good.py"
rule bad:
    output: "bad.txt"
    log: "logs/bad.log"
    script: "bad.py"
rule broken:
    output: "broken.txt"
    log: "logs/broken.log"
    script: "broken.py"
"""


def test_snakemake_itself_runs_scripts_this_way(tmp_path):
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    bodies = {
        "good": 'open(snakemake.output[0], "w").write(snakemake.rule)',
        "bad": 'open(snakemake.output[0], "w").write("half"); raise UserError("sheet.tsv: mend it")',
        "broken": "1 / 0",
    }
    for name, body in bodies.items():
        (tmp_path / f"{name}.py").write_text(f"{HEAD}\n@script\ndef main(snakemake):\n    {body}\n")
    ended = subprocess.run(
        [sys.executable, "-m", "snakemake", "-c2", "--keep-going"],
        cwd=tmp_path,
        env={k: v for k, v in os.environ.items() if k != "REFUSEU_WARM"} | {"PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 1
    assert (tmp_path / "good.txt").read_text() == "good"
    assert not (tmp_path / "bad.txt").exists()  # Snakemake removes what a failed job had begun
    assert re.findall(r"^bad: .*$", ended.stderr, re.MULTILINE) == ["bad: sheet.tsv: mend it"]
    assert "Traceback" not in ended.stderr
    assert "ZeroDivisionError" in (tmp_path / "logs/broken.log").read_text()
