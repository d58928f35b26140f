"""One writer at a time, on shared file systems too, and also when a writer is killed or its node is lost.

The holder of a lease is the file ``<name>.lease-<number>`` with the highest number; a number is taken by creating its
file, which a server of files lets one succeed in, whatever machines ask. The holder touches its file every `BEAT`
seconds. Whoever waits watches that: a file that is not touched for `STALE` seconds of the waiter's own clock, or whose
process is gone from this machine, is given up, and the next number may be taken. A holder that comes back after that
(a frozen node) finds a higher number and stops before it writes again. A file that names nobody (just created, or
damaged by a crash) is held by somebody unknown, who shows life or is given up like the others.

Exclusive creation needs neither locks nor hard links, which some shared file systems lack; clocks of machines are never
compared.
"""

import errno
import json
import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from refuseu.errors import UserError
from refuseu.job.progress import tell

log = logging.getLogger("refuseu")
BEAT = 5.0  # seconds
STALE = 60.0
GONE = (errno.ENOENT, errno.ESTALE)  # how NFS may say that another machine has cleared a file away
RELEASED = "released\n"  # what a holder leaves in its file at the end


@dataclass(frozen=True)
class Holder:
    """Who holds a lease.

    Attributes
    ----------
    host : name of the machine
    machine : its boot and its name space of processes, within which process ids mean something
    pid, started : the process, and when it started in clock ticks since the boot
    job : SLURM's job, empty outside of SLURM
    """

    host: str
    machine: str
    pid: int
    started: str
    job: str

    def __str__(self) -> str:
        if self == UNKNOWN:
            return "another job"
        return f"process {self.pid} on {self.host}" + (f" (SLURM job {self.job})" if self.job else "")

    @property
    def gone(self) -> bool:
        """Whether it is known to be gone: a process of this machine that runs no more."""
        return self.machine == machine() and start_time(self.pid) != self.started


UNKNOWN = Holder("", "unknown", 0, "", "")


def myself() -> Holder:
    """This process."""
    pid = os.getpid()
    return Holder(socket.gethostname(), machine(), pid, start_time(pid), os.environ.get("SLURM_JOB_ID", ""))


def machine() -> str:
    """This boot of this machine and this name space of processes; empty where that cannot be known."""
    try:
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def start_time(pid: int) -> str:
    """When a process of this machine started; empty if there is none, or if it has ended and waits for its parent."""
    try:
        state, *rest = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return ""
    return "" if state == "Z" else rest[18]


class Lease:
    """The right to write one file; a context manager that waits until it is free.

    Parameters
    ----------
    path : the file; leases lie beside it
    say : told once, in a sentence, that somebody else is waited for
    """

    def __init__(self, path: str | Path, say: Callable[[str], None] = tell):
        self.path, self.say = Path(path), say
        self.file: Path | None = None
        self._checked = -BEAT

    def __enter__(self) -> "Lease":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        said = None
        while self.file is None:
            number, held = self._last()
            if held is None or self._given_up(held):
                self._take(number + 1)
            elif said != number:
                who = read(held)
                self.say(f"{who or UNKNOWN} is writing {self.path}; waiting until it has ended")
                said = number
        self._stop = threading.Event()
        self._beating = threading.Thread(target=self._beat, daemon=True)
        self._beating.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self.file
        self._stop.set()
        self._beating.join()
        self.file.write_text(RELEASED, encoding="utf-8")
        self.file = None

    def check(self) -> None:
        """Raise if somebody has taken over: what is written now would be written twice. Looks once in a `BEAT`.

        Raises
        ------
        UserError
            A sentence that names the file.
        """
        if (now := time.monotonic()) - self._checked < BEAT:
            return
        self._checked = now
        if self._last()[1] != self.file:
            raise UserError(
                f"another job has taken over {self.path}, because this one gave no sign of life for {STALE:.0f} s; "
                "what it had asked is kept, and the other goes on"
            )

    def _last(self) -> tuple[int, Path | None]:
        """The highest number, and its file unless it was released."""
        found = self._numbered()
        number = max(found, default=0)
        return number, found[number] if found and read(found[number]) is not None else None

    def _numbered(self) -> dict[int, Path]:
        """The files of this lease by number."""
        files = {
            file.suffix.removeprefix(".lease-"): file for file in self.path.parent.glob(f"{self.path.name}.lease-*")
        }
        return {int(number): file for number, file in files.items() if number.isdecimal()}

    def _take(self, number: int) -> None:
        """Take a number, unless somebody was quicker."""
        file = self.path.with_name(f"{self.path.name}.lease-{number}")
        try:
            with open(file, "x", encoding="utf-8") as own:
                own.write(json.dumps(asdict(myself())))
        except FileExistsError:
            return
        if self._last()[0] != number:  # numbers below the highest are cleared away, and may seem free for a moment
            file.unlink(missing_ok=True)  # or whoever has the highest has cleared it away already
            return
        self.file = file
        for other, earlier in self._numbered().items():
            if other < number:  # a higher one has taken over meanwhile
                earlier.unlink(missing_ok=True)

    def _given_up(self, held: Path) -> bool:
        """Watch a holder until it shows life (False) or has been silent for too long (True)."""
        began, touched = time.monotonic(), modified(held)
        while time.monotonic() - began < STALE:
            who = read(held)
            if who is None or modified(held) != touched:
                time.sleep(min(BEAT, 1.0) / 5)
                return False
            if who.gone:
                log.warning("%s, which wrote %s, is gone; taking over", who, self.path)
                return True
            time.sleep(min(BEAT, 1.0) / 5)
        log.warning("%s gave no sign of life for %.0f s; taking over %s", read(held), STALE, self.path)
        return True

    def _beat(self) -> None:
        while not self._stop.wait(BEAT):
            with suppress(OSError):  # taken over and cleared away: `check` will tell; or a file server that is away
                os.utime(self.file or "")


def held(path: str | Path) -> bool:
    """Whether somebody writes a file just now."""
    return Lease(path)._last()[1] is not None


def read(file: Path) -> Holder | None:
    """Who holds it, `UNKNOWN` if it does not say; None if it was released or cleared away."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        if error.errno not in GONE:
            raise
        return None
    if text == RELEASED:
        return None
    try:
        return Holder(**json.loads(text))
    except (ValueError, TypeError):
        return UNKNOWN


def modified(file: Path) -> int:
    """When a file was touched, in nanoseconds of the file server's clock; 0 if it is gone."""
    try:
        return file.stat().st_mtime_ns
    except OSError as error:
        if error.errno not in GONE:
            raise
        return 0
