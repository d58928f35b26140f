"""A real SLURM on this machine, for tests: a controller and three virtual nodes, as long as a test needs them."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import psutil

from support.helpers import OFFLINE

# As Debian names them: apt-get install slurm-wlm munge
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel", "sinfo")
ENDED = ("COMPLETED", "CANCELLED", "FAILED", "TIMEOUT", "NODE_FAIL")

CONFIG = """
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=10
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
# No cgroups and no accounting; nodes are as large as it says here, whatever this machine has.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SwitchType=switch/none
ReturnToService=0
KillWait=2
MinJobAge=100000
JobRequeue=0
GresTypes=gpu
SchedulerParameters=batch_sched_delay=0,sched_min_interval=1000
{nodes}
PartitionName=cpu Nodes=c1 MaxTime=INFINITE State=UP
PartitionName=gpu Nodes=g1,g2 MaxTime=INFINITE State=UP
"""
# The profile and the plugin are as they are, but a look at the queue comes every two seconds and not after up to 180.
IMPATIENT = f"""
import asyncio, runpy

runpy.run_path("{OFFLINE}/sitecustomize.py")
sleep = asyncio.sleep
asyncio.sleep = lambda delay, *more: sleep(min(delay, 2), *more)
"""
NODE = "NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=64 RealMemory=2000000"


def missing():
    """Why SLURM cannot be started here; empty if it can."""
    if os.getuid():
        return "SLURM is started by root"
    absent = [name for name in PROGRAMS if shutil.which(name, path=search_path()) is None]
    return f"not installed: {', '.join(absent)}" if absent else ""


def search_path():
    return f"{os.environ['PATH']}:/usr/sbin:/sbin"


def free_ports(n):
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [server.getsockname()[1] for server in taken]
    for server in taken:
        server.close()
    return ports


def until(condition, what, patience=900):
    """What `condition` returns once it is true. The patience only keeps a broken test from hanging."""
    end = time.monotonic() + patience
    while not (found := condition()):
        assert time.monotonic() < end, f"waited in vain until {what}"
        time.sleep(0.05)
    return found


class Slurm:
    """Partition `cpu` with node c1, partition `gpu` with g1 and g2, each with 8 GPUs that exist on paper only."""

    def __init__(self, folder):
        self.folder, self.daemons = Path(folder), {}
        self.environ = {k: v for k, v in os.environ.items() if not k.startswith("SLURM")}
        self.environ |= {"SLURM_CONF": f"{folder}/slurm.conf", "PATH": f"{folder}/bin:{search_path()}"}
        host, (port, *ports) = socket.gethostname(), free_ports(4)
        self.nodes = dict(zip(("c1", "g1", "g2"), ports, strict=True))
        nodes = [NODE.format(name=name, host=host, port=port) for name, port in self.nodes.items()]
        nodes = [node + " Gres=gpu:8" * ("NodeName=g" in node) for node in nodes]
        text = CONFIG.format(folder=folder, host=host, port=port, nodes="\n".join(nodes))
        (self.folder / "slurm.conf").write_text(text)
        (self.folder / "gres.conf").write_text(f"NodeName=g[1-2] Name=gpu File={folder}/gpu[0-7]\n")
        for n in range(8):
            (self.folder / f"gpu{n}").touch()
        (self.folder / "munge.key").write_bytes(os.urandom(128))
        (self.folder / "munge.key").chmod(0o600)
        # The plugin's job step drops every SLURM_ variable before it calls srun.
        (self.folder / "bin").mkdir()
        (self.folder / "bin/srun").write_text(f'#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec /usr/bin/srun "$@"\n')
        (self.folder / "bin/srun").chmod(0o755)
        for name in ("state", *(f"spool-{node}" for node in self.nodes)):
            (self.folder / name).mkdir()

    def user(self, home):
        """The environment of a user of this cluster, whose patience is short."""
        (Path(home) / "impatient").mkdir()
        (Path(home) / "impatient/sitecustomize.py").write_text(IMPATIENT)
        path = f"{Path(sys.executable).parent}:{self.environ['PATH']}"
        return self.environ | {"HOME": str(home), "PYTHONPATH": f"{home}/impatient", "PATH": path}

    def start(self):
        munge = {"socket": "socket", "key-file": "key", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
        files = [f"--{option}={self.folder}/munge.{end}" for option, end in munge.items()]
        self._daemon("munged", "--foreground", "--force", *files)
        until((self.folder / "munge.socket").exists, "munged listens", 60)
        self.start_controller()
        for name in self.nodes:
            self._daemon(name, "slurmd", "-D", "-N", name)
        until(lambda: self.command("sinfo", "-h", "-N", "-o", "%T").split() == ["idle"] * 3, "all nodes are idle", 30)

    def start_controller(self):
        self._daemon("slurmctld", "slurmctld", "-D")
        until(lambda: "UP" in self.command("scontrol", "ping"), "the controller answers", 60)

    def stop_controller(self):
        self.daemons["slurmctld"].terminate()
        self.daemons.pop("slurmctld").wait()

    def stop(self):
        """End the daemons, and whatever is left of jobs."""
        for daemon in reversed(self.daemons.values()):
            daemon.terminate()
            daemon.wait()
        for process in self.processes():
            process.kill()

    def _daemon(self, name, *command):
        with open(self.folder / f"{name}.out", "ab") as out:
            self.daemons[name] = subprocess.Popen(
                command if name != "munged" else (name, *command),
                env=self.environ, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            )  # fmt: skip

    def command(self, *words):
        """What a command of SLURM says."""
        return subprocess.run(words, env=self.environ, capture_output=True, text=True).stdout

    def jobs(self, folder):
        """SLURM's records of the jobs that were submitted from a folder, oldest first."""
        lines = self.command("scontrol", "show", "job", "--oneliner").splitlines()
        jobs = [
            job
            for job in map(Job, (line for line in lines if line.startswith("JobId=")))
            if job["WorkDir"] == str(folder)
        ]
        return sorted(jobs, key=lambda job: int(job.id))

    def update(self, **fields):
        self.command("scontrol", "update", *(f"{key}={value}" for key, value in fields.items()))

    def processes(self, job=None):
        """The process that runs the script of a job, or all processes of all jobs."""
        for process in psutil.process_iter():
            try:
                environ, words = process.environ(), process.cmdline()
            except psutil.Error:
                continue
            if environ.get("SLURM_CONF") == self.environ["SLURM_CONF"] and "SLURM_JOB_ID" in environ:
                script = any(".snakemake/scripts/" in word for word in words[1:2])
                if job is None or (script and environ["SLURM_JOB_ID"] == job.id):
                    yield process

    def signal(self, job, number):
        """Send a signal to the script of a job."""
        [process] = self.processes(job)
        os.kill(process.pid, number)

    def out_of_time(self, job):
        """Let nothing more happen in a job, and let its time be up."""
        self.signal(job, signal.SIGSTOP)
        self.update(JobId=job.id, TimeLimit=1)


class Job(dict):
    """One record of ``scontrol show job``."""

    def __init__(self, line):
        # Blanks are part of some values; a key is a word before an equals sign.
        pairs = re.findall(r"(?:^|\s)([A-Z][\w:/]*)=((?:(?!\s[A-Z][\w:/]*=).)*)", line)
        super().__init__((key, value.strip()) for key, value in pairs)
        self.id, self.state = self["JobId"], self["JobState"]
        self.rule, _, self.wildcards = self.get("Comment", "").removeprefix("rule_").partition("_wildcards_")
        self.step = f"{self.rule} {self.wildcards}".strip()  # of several that were sent as one: the start, and the rule
        asked = " ".join(value for key, value in self.items() if key.startswith("TresPer"))
        self.gpus = sum(map(int, re.findall(r"gpu(?::[a-z]\w*)?:(\d+)", asked)))
        self.cpus = int(self["NumCPUs"])

    @property
    def megabytes(self):
        """Memory of the host."""
        number, unit = re.fullmatch(r"([\d.]+)([MG])", self["MinMemoryNode"]).groups()
        return float(number) * {"M": 1, "G": 1024}[unit]

    @property
    def minutes(self):
        """Time limit."""
        days, _, clock = self["TimeLimit"].rpartition("-")
        hours, minutes, _ = map(int, clock.split(":"))
        return int(days or 0) * 1440 + hours * 60 + minutes

    def overlaps(self, other):
        """Whether two jobs ran at the same time."""
        (start, end), (other_start, other_end) = (
            [datetime.fromisoformat(job[key]) for key in ("StartTime", "EndTime")] for job in (self, other)
        )
        return start < other_end and other_start < end
