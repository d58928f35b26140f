"""Warm workers: one process imports the heavy libraries once and forks for each local job.

A job of the miniature takes about a second; importing torch and transformers takes four. The server
belongs to the snakemake process that started it and ends with it. A job whose server is gone simply
does its own imports.
"""

import gc
import importlib
import multiprocessing
import os
import pickle
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from refuseu.job.environment import OFFLINE

VARIABLE = "REFUSEU_WARM"
HEAVY = (
    "snakemake.io", "snakemake.iocontainers", "snakemake.logging",
    "torch", "torch.utils.tensorboard", "transformers", "transformers.models.llama.modeling_llama", "trl", "peft",
    "peft.utils.transformers_weight_conversion", "datasets", "lm_eval", "scipy.io",
    "pandas", "matplotlib.pyplot", "seaborn", "statsmodels.api", "sklearn.metrics", "lingua",
    "refuseu.miniature.models", "refuseu.training.alignment", "refuseu.training.mlc", "refuseu.training.reference",
    "refuseu.evaluation.knowledge", "refuseu.backends.local",
)  # fmt: skip


# Keep freed memory: a tensor of some megabytes per step would otherwise be mapped and zeroed anew each time. And
# ask for it in large pages: a job of half a second would otherwise touch fifty thousand small ones.
MALLOC = {
    "MALLOC_MMAP_THRESHOLD_": "33554432",
    "MALLOC_TRIM_THRESHOLD_": "1073741824",
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}


def start(markers: str, languages: Sequence[str] = ()) -> str:
    """Start the server as a child of this process and tell the jobs where it listens; return that, too.

    Parameters
    ----------
    markers : file of refusal markers, which are compiled
    languages : codes whose lingua models are loaded, too
    """
    path = str(Path(tempfile.mkdtemp(prefix="refuseu-")) / "warm")
    subprocess.Popen(
        [sys.executable, "-m", "refuseu.job.warm", path, markers, *languages],
        env={**os.environ, **OFFLINE, "PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1", **MALLOC},
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.environ[VARIABLE] = path
    return path


waited_for: set[socket.socket] = set()  # connections to workers whose jobs this process waits for


def delegate(path: str, file: str, snakemake: Any = None) -> int | None:
    """Run a script in a fork of the server; its exit code, or None if there is no server.

    Parameters
    ----------
    path : where the server listens
    file : the script
    snakemake : its object, if Snakemake has not written it into the file
    """
    with socket.socket(socket.AF_UNIX) as server:
        try:
            server.connect(path)
        except OSError:
            return None
        names = {"snakemake": snakemake} if snakemake else {}
        waited_for.add(server)
        try:
            with server.makefile("rwb") as stream:
                pickle.dump({"file": file, "names": names, "environ": dict(os.environ), "path": sys.path}, stream)
                stream.flush()
                reply = stream.read(1)
        finally:
            waited_for.discard(server)
    return reply[0] if reply else 1


def hang_up() -> None:
    """End the jobs that this process waits for."""
    for connection in list(waited_for):
        with suppress(OSError):  # it has just ended
            connection.shutdown(socket.SHUT_RDWR)


def serve(path: str, markers: str, languages: Sequence[str]) -> None:
    """Listen at once, import, then fork for every connection until the parent is gone."""
    parent = os.getppid()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(64)
        listener.settimeout(1.0)
        for name in HEAVY:
            importlib.import_module(name)
        if "transformers" in HEAVY:
            # A thousand patterns that every loading of weights would compile.
            importlib.import_module("transformers.conversion_mapping").get_checkpoint_conversion_mapping("llama")
        if markers:
            with suppress(Exception):  # what is wrong with the file says the job that needs it
                importlib.import_module("refuseu.refusals").read_markers(markers)
        if languages:
            # The first short text loads all n-gram models; not by lingua's preloading, whose threads no fork has.
            importlib.import_module("refuseu.language_id").Lingua(languages).identify(["The quick brown fox jumps"])
        # A fork shares these objects until it writes to them, which its garbage collector would do.
        gc.collect()
        gc.freeze()
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        while os.getppid() == parent:
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            if os.fork() == 0:
                listener.close()
                work(connection)
            connection.close()
    os.unlink(path)
    os.rmdir(Path(path).parent)


def work(connection: socket.socket) -> None:
    """In the fork: run the script as Snakemake would have, reply with its exit code, and leave."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    connection.setblocking(True)
    code = 1
    try:
        with connection.makefile("rb") as stream:
            job = pickle.load(stream)
        # If the job's own process is killed, the fork must not go on working.
        threading.Thread(target=leave_with, args=(connection,), daemon=True).start()
        # Snakemake tells the jobs that it starts itself how many threads they have; what these start obeys that, too.
        threads = {name: value for name, value in os.environ.items() if name == "OMP_NUM_THREADS"}
        os.environ.clear()
        os.environ.update(threads | job["environ"])
        os.environ.pop(VARIABLE, None)
        sys.path[:] = job["path"]
        source = Path(job["file"]).read_text(encoding="utf-8")
        names = {"__name__": "__main__", "__file__": job["file"], **job["names"]}
        exec(compile(source, job["file"], "exec"), names)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        try:
            connection.sendall(bytes([code]))
        finally:
            leave(code)


def leave_with(connection: socket.socket) -> None:
    """Exit when the other end hangs up."""
    if not connection.recv(1):
        leave(1)


def leave(code: int) -> None:
    """Exit at once, and end what a job's own process would end at its exit, such as an engine."""
    for child in multiprocessing.active_children():
        if child.daemon:
            child.terminate()
    os._exit(code)


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2], sys.argv[3:])
