"""What a run says: a line per finished stage, a failed job with its cause, one bar where there is a terminal."""

import io
import logging
import os
import pty
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest

from refuseu.runner import failures, terminal
from support.helpers import SCRIPTS
from support.jobs import HEAD

SNAKEFILE = """
from refuseu.runner import terminal
terminal.take(workflow)
rule all:
    input:
        expand("made/{number}.txt", number=range(4)), "table.csv",
        [f"{bad}.txt" for bad in config.get("bad", "").split()]
rule make:
    output: "made/{number}.txt"
    log: "logs/make/{number}.log"
    script: "make.py"
rule a_table:
    input: expand("made/{number}.txt", number=range(4))
    output: "table.csv"
    log: "logs/a_table.log"
    script: "table.py"
rule mistaken:
    output: "mistaken.txt"
    log: "logs/mistaken.log"
    script: "mistaken.py"
rule broken:
    output: "broken.txt"
    log: "logs/broken.log"
    script: "broken.py"
rule killed:
    output: "killed.txt"
    log: "logs/killed.log"
    script: "killed.py"
"""
WELL = 'open(snakemake.output[0], "w").write("done")'
BODIES = {
    "make": f"import time; time.sleep(0.3); {WELL}",
    "table": WELL,
    "mistaken": 'raise UserError("sheet.tsv, row 3: no category; add one")',
    "broken": 'print("step 7\\x1b[2J"); raise ValueError("the loss is not finite")',
    "killed": 'import os; print("step 9"); os.kill(os.getpid(), 9)',
}


@pytest.fixture
def study(tmp_path):
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    for name, body in BODIES.items():
        (tmp_path / f"{name}.py").write_text(f"{HEAD}\n@script\ndef main(snakemake):\n    {body}\n")
    return tmp_path


def run(study, *arguments, out=subprocess.PIPE, **environ):
    kept = {name: value for name, value in os.environ.items() if name not in ("REFUSEU_WARM", "NO_COLOR")}
    return subprocess.run(
        [sys.executable, "-m", "snakemake", "-c2", *arguments],
        cwd=study, env=kept | {"PYTHONPATH": str(SCRIPTS), "TERM": "xterm"} | environ,
        stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def test_without_a_terminal_there_is_a_line_per_finished_stage_and_no_more(study):
    ended = run(study)
    assert ended.returncode == 0
    said = ended.stdout.splitlines()
    said = said[said.index("refuseu: 6 jobs to do in 2 stages") :]
    assert re.fullmatch(r"✓ make: 4 jobs, [\d minhs]+ \(4 of 6 done\)", said[1])
    assert re.fullmatch(r"✓ tables: 1 job, [\d minhs]+ \(5 of 6 done\)", said[2])
    assert re.fullmatch(r"refuseu: done, 6 jobs in [\d minhs]+", said[3])
    assert len(said) == 4 and "\x1b" not in ended.stdout


def test_a_failed_job_is_told_with_its_cause_the_end_of_its_log_and_the_command_to_go_on(study):
    ended = run(study, "--keep-going", "--config", "bad=broken mistaken killed")
    assert ended.returncode == 1
    said = ended.stdout
    assert "CalledProcessError" not in said and "Error in rule" not in said
    assert said.count("✗ broken: ValueError: the loss is not finite\n  its log ends:\n") == 1
    assert "    step 7\\x1b[2J\n" in said and "\x1b" not in said
    assert "  log: logs/broken.log\n" in said
    # A user's mistake is one sentence, and is said once.
    assert said.count("sheet.tsv, row 3: no category; add one") == 1
    assert "✗ mistaken: sheet.tsv, row 3: no category; add one\n  log: logs/mistaken.log\n" in said
    assert re.search(r"✗ killed: it was ended by SIGKILL without an error in its log; .* memory\?\n", said)
    assert "    step 9\n" in said
    assert re.search(
        r"refuseu: 3 jobs failed, 5 of 9 are done and kept; go on with "
        r"`snakemake -c2 --keep-going --config 'bad=broken mistaken killed'`\n"
        r"  all that Snakemake said: .snakemake/log/\S+.snakemake.log\n$", said
    )  # fmt: skip


def test_another_attempt_is_said_and_does_not_count_as_failed(study):
    said = run(study, "mistaken.txt", "--retries", "1", REFUSEU_AGAIN="make miniature").stdout
    assert said.count("✗ mistaken: ") == 2 and said.count("  mistaken is tried again\n") == 1
    assert "1 job failed, 0 of 1 are done and kept; go on with `make miniature`" in said


def test_on_a_terminal_there_is_one_bar_below_the_lines_that_stay(study):
    ours, theirs = pty.openpty()
    os.set_blocking(ours, True)
    ended = run(study, "--config", "bad=mistaken", "--keep-going", out=theirs)
    os.close(theirs)
    said = b""
    try:
        while chunk := os.read(ours, 65536):
            said += chunk
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    assert ended.returncode == 1
    pieces = said.decode().replace("\r\n", "\n").split("\r\x1b[K")
    bars = [piece for piece in pieces if re.match("[━╌]", piece)]
    assert len(bars) > 3 and not any("\n" in bar for bar in bars)  # each is wiped before anything else is written
    assert any(" of 7 jobs | " in bar and "now: make" in bar for bar in bars)
    assert all(len(bar) < 80 for bar in bars)
    stay = "".join(piece for piece in pieces if piece not in bars)
    assert stay.count("sheet.tsv, row 3") == 1 and re.search(r"make: 4 jobs, [\d minhs]+\n", stay)
    assert pieces[-1].endswith(".snakemake.log\n") or pieces[-1] == ""


@pytest.mark.parametrize("chosen", [["-n"], ["--verbose"], ["--quiet", "all"]])
def test_who_chose_how_snakemake_talks_hears_it_so(study, chosen):
    said = run(study, "table.csv", *chosen).stdout
    assert "refuseu:" not in said and "✓" not in said
    assert ("Job stats:" in said) == ("--quiet" not in chosen)


def test_how_far_a_single_job_is_stands_in_the_bar(tmp_path):
    log = tmp_path / "a.log"
    log.write_text("2026-11-28 05:00:00,123 INFO align: 10 of 120\n2026-11-28 05:00:09,123 INFO align: 40 of 120\n")
    shown = terminal.Terminal(open(os.devnull, "w"), lambda: {"align": "align"}, "snakemake")  # noqa: SIM115
    shown.on_run_info(SimpleNamespace(stats={"align": 2, "all": 1, "total": 3}))
    os.environ.pop("REFUSEU_ONE_BAR")
    job = SimpleNamespace(jobid=1, rule_name="align", wildcards={"model": "small"}, log=[str(log)])
    shown.on_job_info(job)
    assert "0 of 3 jobs" in shown.state() and "now: align small (40 of 120) | left: align 1" in shown.state()
    shown.on_job_info(SimpleNamespace(**{**vars(job), "jobid": 2}))
    assert "now: align ×2" in shown.state() and "left" not in shown.state()


# Why a job failed


def logged(folder, name, text):
    (folder / name).write_text(text)
    return str(folder / name)


def test_what_slurm_knows_is_said_where_the_jobs_own_log_knows_nothing(tmp_path):
    own = logged(tmp_path, "own.log", "2026-11-28 05:00:09,123 INFO align: 40 of 120\n")
    slurm = logged(tmp_path, "12.log", "slurmstepd: error: *** JOB 12 CANCELLED DUE TO TIME LIMIT ***\n")
    why = failures.explain([own, slurm], 0.0, said="SLURM-job '12' failed, SLURM status is: 'TIMEOUT'.")
    assert why.cause == "SLURM-job '12' failed, SLURM status is: 'TIMEOUT'."
    assert why.lines[-1].startswith("slurmstepd: error") and why.log == slurm


def test_a_traceback_within_a_traceback_is_told_by_its_last(tmp_path):
    first = 'Traceback (most recent call last):\n  File "a", line 1\nKeyError: 1\n'
    between = "\nDuring handling of the above exception, another exception occurred:\n\n"
    second = 'Traceback (most recent call last):\n  File "b", line 2\n    x = y\nOSError: full\n'
    own = logged(tmp_path, "own.log", first + between + second)
    assert failures.explain([own], 0.0).cause == "OSError: full"


def test_a_log_of_an_earlier_attempt_explains_nothing(tmp_path):
    own = logged(tmp_path, "own.log", "2026-11-28 05:00:09,123 ERROR the disk is full; make room\n")
    assert failures.explain([own], 0.0) == ("the disk is full; make room", (), own)
    os.utime(own, (1e9, 1e9))
    assert "without an error in its log" in failures.explain([own], 2e9).cause
    assert "without an error in its log" in failures.explain([str(tmp_path / "none.log")], 0.0).cause


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Command 'python a.py' died with <Signals.SIGKILL: 9>.", "it was ended by SIGKILL"),
        ("Command 'set -e; python a.py' returned non-zero exit status 137.", "it was ended by SIGKILL"),
        ("Command 'python a.py' returned non-zero exit status 1.", ""),
        ("Command 'python a.py' returned non-zero exit status 199.", ""),
    ],
)
def test_a_signal_is_named(text, said):
    assert failures.signal_in(text) == said


@pytest.mark.parametrize(("seconds", "said"), [(48.4, "48 s"), (432, "7 min 12 s"), (11_100, "3 h 5 min")])
def test_durations_read_well(seconds, said):
    assert terminal.duration(seconds) == said


def test_of_jobs_that_were_sent_off_as_one_those_tell_why_it_failed_whose_logs_do(tmp_path):
    out = io.StringIO()
    told = terminal.Terminal(out, dict, "snakemake")
    for number in range(3):
        log = tmp_path / f"{number}.log"
        log.write_text("2026-11-28 05:00:00,000 ERROR sheet.tsv, row 3: mend it\n" if number == 1 else "all is well\n")
        told.on_job_info(SimpleNamespace(rule_name="judge", wildcards={"n": number}, jobid=number, log=[str(log)]))
    about = [
        {"rule_name": "judge", "rule_msg": None, "jobid": number, "log": [str(tmp_path / f"{number}.log")]}
        for number in range(3)
    ]
    told.on_group_error(SimpleNamespace(aux_logs=[], job_error_info=about, thread=1))
    for one in about:  # as Snakemake goes on
        told.on_job_error(SimpleNamespace(**one, thread=1))
    assert out.getvalue().splitlines() == [
        "✗ judge 1: sheet.tsv, row 3: mend it", f"  log: {tmp_path}/1.log"
    ]  # fmt: skip
    assert not told.running and list(told.failed) == [1]
    told.said(logging.makeLogRecord({"levelno": logging.INFO}), "Trying to restart job 0a1b-2c.")
    assert out.getvalue().endswith("  what was sent off with it is tried again\n")
    told.on_job_finished(SimpleNamespace(job_id=1))
    assert not told.failed
