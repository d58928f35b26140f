"""Install a lock into a virtual environment with uv: python envs/install.py FOLDER LOCK.

uv reads none of pip's configuration, so what that says of indexes is handed on. Needs nothing but Python.
"""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

UV = "uv==0.13.9"
# pip's settings and uv's variables for them.
INDEXES = {"index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX", "find-links": "UV_FIND_LINKS"}
OTHERS = {
    "no-index": "UV_NO_INDEX", "constraint": "UV_CONSTRAINT", "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE", "proxy": "ALL_PROXY",
}  # fmt: skip


def pip_settings(listed: str) -> dict[str, str]:
    """What holds when pip installs something, by name, from the output of ``pip config list``.

    What is for installations wins over what is for all commands, and a variable (``:env:``) over both.
    """
    found = {}
    for section in ("global.", "install.", ":env:."):
        for line in listed.splitlines():
            if line.startswith(section):
                name, _, value = line.removeprefix(section).partition("=")
                found[name] = ast.literal_eval(value)
    return found


def variables(settings: dict[str, str]) -> dict[str, str]:
    """The same in uv's words."""
    found = {name: settings[ours] for ours, name in (INDEXES | OTHERS).items() if settings.get(ours)}
    if "UV_FIND_LINKS" in found:  # the one list of uv's that commas divide
        found["UV_FIND_LINKS"] = ",".join(found["UV_FIND_LINKS"].split())
    # To pip all indexes are alike, and the best version wins.
    return found | {"UV_INDEX_STRATEGY": "unsafe-best-match"}


def uv(folder: Path, *arguments: str, cpu: str = "", own: frozenset[str] = frozenset()) -> None:
    """Run uv for a virtual environment, into which pip puts it if it is not on the path.

    Parameters
    ----------
    cpu : the torch for CPUs that is wanted; where no index that pip knows has it, PyTorch's own for CPUs does
    own : settings of pip that are not handed on; variables of uv that are set win over all others
    """
    pip = [folder / "bin/python", "-m", "pip", "--disable-pip-version-check"]
    program = Path(shutil.which("uv") or folder / "bin/uv")
    if not program.exists():
        subprocess.run([*pip, "install", "--quiet", UV], check=True)
    listed = subprocess.run([*pip, "config", "list"], check=True, capture_output=True, text=True).stdout
    settings = {name: value for name, value in pip_settings(listed).items() if name not in own}
    environ = variables(settings) | os.environ | {"VIRTUAL_ENV": str(folder.absolute())}
    if cpu and "no-index" not in settings and not can_install(program, cpu, environ):
        environ = {"UV_TORCH_BACKEND": "cpu"} | environ
    subprocess.run([program, *arguments], check=True, env=environ)


def can_install(program: Path, package: str, environ: dict[str, str]) -> bool:
    """Whether uv finds a version of a package, or has it."""
    asked = [program, "pip", "install", "--dry-run", "--no-deps", package]
    return subprocess.run(asked, env=environ, capture_output=True, check=False).returncode == 0


def install(folder: Path, lock: Path, *more: str) -> None:
    """Bring an environment to a lock; make it if it is not there."""
    if not (folder / "bin/python").exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    gpu = lock.name == "requirements.gpu.lock"
    # One lock fits any machine and leaves to it what belongs to its platform; the others name everything.
    whole = [] if lock.name == "requirements.lock" else ["--no-deps"]
    # A torch for CPUs passes for the version of the lock.
    other = ["--reinstall-package", "torch"] if gpu else []
    cpu = "" if gpu or sys.platform != "linux" else torch_for_cpus(lock)
    uv(folder, "pip", "install", "--quiet", "--compile-bytecode", *whole, *other, *more, "-r", str(lock), cpu=cpu)


def torch_for_cpus(lock: Path) -> str:
    """The torch of a lock, if it has one, built for CPUs: PyPI's for Linux brings CUDA."""
    torch = next((line for line in lock.read_text().splitlines() if line.startswith("torch==")), "")
    return torch and torch.removesuffix("+cpu") + "+cpu"


if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036 (nothing else has looked yet)
        sys.exit("refuseu needs Python 3.11 or newer")
    install(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
