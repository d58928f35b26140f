"""Warm workers: a job in a fork of the server is the same job."""

import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from refuseu.job import warm
from support.helpers import SCRIPTS
from support.jobs import Job

# The server of the workflow, but for what it imports beforehand.
SERVER = """
import sys
from refuseu.job import warm
warm.HEAVY = ("json", "refuseu.records")
warm.serve(sys.argv[1], "".join(sys.argv[2:]), [])
"""
ENVIRON = {k: v for k, v in os.environ.items() if k != "REFUSEU_WARM"} | {"PYTHONPATH": str(SCRIPTS)}


def wait_for(socket, server):
    while not socket.exists():
        assert server.poll() is None
        time.sleep(0.01)


class Server:
    def __init__(self, folder, markers=""):
        folder.mkdir()
        self.socket, self.stderr = folder / "warm", folder.parent / "server.stderr"
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(self.socket), markers], env=ENVIRON, stderr=self.stderr.open("w")
        )
        wait_for(self.socket, self.process)


@pytest.fixture
def server(tmp_path):
    made = Server(tmp_path / "socket")
    yield made
    made.process.kill()
    made.process.wait()


@pytest.fixture
def job(tmp_path):
    return lambda body, head="": Job(tmp_path, body, head)


BODIES = {
    "well": ('print("hi"); open(snakemake.output[0], "w").write("done")', 0),
    "user error": ('raise UserError("config.yaml: mend it")', 1),
    "crash": ('print("before"); {}["nothing"]', 1),
    "exit": ("raise SystemExit(3)", 3),
    "child": ('import subprocess; subprocess.run(["echo", "child"], check=True)', 0),
}


def without_times(log):
    return [line.split(" ", 2)[-1] if line[:4].isdigit() else line for line in log.splitlines()]


@pytest.mark.parametrize("name", BODIES)
def test_a_warm_job_has_the_same_exit_code_log_and_output_as_a_cold_one(server, job, name):
    body, code = BODIES[name]
    made, seen = job(body), []
    for environ in ({}, {"REFUSEU_WARM": str(server.socket)}):
        made.output.unlink(missing_ok=True)
        ended = made.run(**environ)
        output = made.output.read_text() if made.output.exists() else None
        # A traceback names the temporary copy that Snakemake makes, or the script itself.
        log = [line for line in without_times(made.log.read_text()) if not line.startswith("  ")]
        terminal = ended.stderr + (server.stderr.read_text() if environ else "")
        seen.append((ended.returncode, output, log, terminal))
    assert seen[0] == seen[1]
    assert seen[0][0] == code


def test_a_warm_job_runs_in_a_fork_of_the_server_with_its_imports_behind_it(server, job):
    made = job('import os, sys; print(os.getppid(), "refuseu.records" in sys.modules)')
    made.run(REFUSEU_WARM=str(server.socket))
    assert made.log.read_text() == f"{server.process.pid} True\n"


def test_a_process_that_waits_for_a_worker_imports_nothing_of_what_the_job_needs(server, job):
    made = job("import refuseu.records; print(refuseu.records)")
    said = made.run(REFUSEU_WARM=str(server.socket), PYTHONPROFILEIMPORTTIME="1").stderr
    assert "refuseu.job.warm" in said and "refuseu.records" not in said
    assert "refuseu.records" in made.run(PYTHONPROFILEIMPORTTIME="1").stderr + made.log.read_text()


def test_a_warm_job_has_the_environment_and_folder_of_its_own_process(server, job):
    made = job('import os; print(os.environ["CANARY"], "REFUSEU_WARM" in os.environ)')
    made.run(REFUSEU_WARM=str(server.socket), CANARY="42")
    assert made.log.read_text() == "42 False\n"


def test_what_a_warm_job_starts_has_no_more_threads_than_what_a_cold_one_starts(tmp_path, job, monkeypatch):
    monkeypatch.setitem(ENVIRON, "OMP_NUM_THREADS", "1")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    server = Server(tmp_path / "one_thread")
    made = job('import os; print(os.environ["OMP_NUM_THREADS"])')
    try:
        assert warm.delegate(str(server.socket), str(made.file)) == 0
    finally:
        server.process.kill()
        server.process.wait()
    assert made.log.read_text() == "1\n"


def test_markers_that_cannot_be_read_are_left_to_the_job_that_needs_them(tmp_path, job):
    (tmp_path / "markers.yaml").write_text('en: {refuses: ["("]}')
    server = Server(tmp_path / "markers", str(tmp_path / "markers.yaml"))
    try:
        assert warm.delegate(str(server.socket), str(job('print("hi")').file)) == 0
    finally:
        server.process.kill()
        server.process.wait()
    assert server.stderr.read_text() == ""


def test_a_job_that_has_just_ended_does_not_keep_an_interruption_from_the_others(monkeypatch):
    ended, *running = (socket.socketpair() for _ in range(2))
    ended[0].close()
    monkeypatch.setattr(warm, "waited_for", [ended[0], running[0][0]])
    warm.hang_up()
    assert running[0][1].recv(1) == b""


def test_warm_jobs_do_not_see_each_other(server, job):
    made = job('import json; print(hasattr(json, "mark")); json.mark = 1')
    for _ in range(2):
        made.run(REFUSEU_WARM=str(server.socket))
        assert made.log.read_text() == "False\n"


def test_a_warm_job_that_is_killed_has_failed(server, job):
    made = job("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert made.run(REFUSEU_WARM=str(server.socket)).returncode == 1
    assert job("print(1)").run(REFUSEU_WARM=str(server.socket)).returncode == 0


def test_when_a_jobs_process_is_killed_its_fork_ends_too(server, job, tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    made = job(f'import time; out = open({str(fifo)!r}, "w"); out.write("here\\n"); out.flush(); time.sleep(3600)')
    client = subprocess.Popen([sys.executable, str(made.file)], env=ENVIRON | {"REFUSEU_WARM": str(server.socket)})
    with open(fifo) as lines:
        assert lines.readline() == "here\n"
        client.send_signal(signal.SIGKILL)
        client.wait()
        assert lines.read() == ""  # comes back only when the fork, which holds the other end, is gone
    assert server.process.poll() is None


def test_a_job_needs_no_process_of_its_own(server, job):
    made = job('import os; print(os.getppid()); open(snakemake.output[0], "w").write("done")')
    assert warm.delegate(str(server.socket), str(made.file)) == 0
    assert made.log.read_text() == f"{server.process.pid}\n" and made.output.read_text() == "done"
    assert warm.delegate(str(server.socket), str(job("raise SystemExit(3)").file)) == 3
    assert warm.delegate(str(server.socket) + "-gone", str(made.file)) is None


def test_jobs_that_a_process_hangs_up_on_end(server, job, tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    made = job(f'import time; out = open({str(fifo)!r}, "w"); out.write("here\\n"); out.flush(); time.sleep(3600)')
    with ThreadPoolExecutor() as pool:
        ended = pool.submit(warm.delegate, str(server.socket), str(made.file))
        with open(fifo) as lines:
            assert lines.readline() == "here\n"
            warm.hang_up()
            assert ended.result() == 1
            assert lines.read() == ""  # comes back only when the fork, which holds the other end, is gone


SLEEPER = """
import multiprocessing, time
out = open({fifo!r}, "w")
multiprocessing.get_context("fork").Process(target=time.sleep, args=(3600,), daemon=True).start()
out.write("here\\n"); out.flush(); time.sleep({more})
"""


@pytest.mark.parametrize("hung_up", [False, True])
def test_processes_that_a_job_has_started_end_with_it(server, job, tmp_path, hung_up):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    made = job(SLEEPER.format(fifo=str(fifo), more=3600 * hung_up))
    with ThreadPoolExecutor() as pool:
        ended = pool.submit(warm.delegate, str(server.socket), str(made.file))
        with open(fifo) as lines:
            assert lines.readline() == "here\n"
            if hung_up:
                warm.hang_up()
            assert ended.result() == hung_up
            assert lines.read() == ""  # comes back only when all that hold the other end are gone


PARENT = """
import os, subprocess, sys, time
server = subprocess.Popen([sys.executable, "-c", sys.argv[1], sys.argv[2]], stdout=sys.stdout)
while not os.path.exists(sys.argv[2]) and server.poll() is None:
    time.sleep(0.01)
print("ready" if server.poll() is None else "dead", flush=True)
sys.stdin.read()
"""


def test_the_server_ends_with_its_parent_and_leaves_nothing(tmp_path):
    (tmp_path / "socket").mkdir()
    socket = tmp_path / "socket" / "warm"
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, SERVER, str(socket)],
        env=ENVIRON,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout.readline() == "ready\n"
    parent.kill()
    parent.wait()
    assert parent.stdout.read() == ""  # comes back only when the server, which holds the other end, is gone
    assert not socket.parent.exists()


def test_without_a_server_a_job_runs_by_itself(job, tmp_path):
    made = job('open(snakemake.output[0], "w").write("done")')
    assert made.run(REFUSEU_WARM=str(tmp_path / "nowhere")).returncode == 0
    assert made.output.read_text() == "done"


def test_a_server_that_was_killed_is_as_good_as_none(server, job):
    server.process.kill()
    server.process.wait()
    made = job('open(snakemake.output[0], "w").write("done")')
    assert made.run(REFUSEU_WARM=str(server.socket)).returncode == 0
    assert made.output.read_text() == "done"
