"""Snakemake in forks of one process that has imported it: a dry run without the second and a half of its imports.

What runs is the command line's own ``main`` in the folder, with the environment and the arguments that it is given.
"""

import gc
import importlib
import json
import os
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

TESTS = Path(__file__).parents[1]


class Forks:
    """The client's side: one server for this process, started when it is first needed."""

    server = None

    def run(self, arguments, folder, environ):
        """As ``subprocess.run([sys.executable, "-m", "snakemake", *arguments])`` in a folder."""
        if self.server is None:
            code = "from support.forks import serve; serve()"
            paths = os.pathsep.join([str(TESTS), environ["PYTHONPATH"]])
            self.server = subprocess.Popen(
                [sys.executable, "-c", code],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=os.environ | {"PYTHONPATH": paths},
                text=True,
            )
        with tempfile.TemporaryDirectory() as place:
            said = [Path(place) / name for name in ("stdout", "stderr")]
            asked = {"arguments": arguments, "folder": str(folder), "environ": environ, "said": [*map(str, said)]}
            self.server.stdin.write(json.dumps(asked) + "\n")
            self.server.stdin.flush()
            code = int(self.server.stdout.readline())
            return subprocess.CompletedProcess(arguments, code, *(path.read_text(encoding="utf-8") for path in said))


def serve():
    """Fork for every line of JSON on stdin and answer with the exit code, until stdin ends."""
    import snakemake.cli

    # What a dry run would import on its way.
    for name in ("jsonschema", "pygments.formatters", "smart_open", "snakemake.profiles", "snakemake.storage", "yte"):
        importlib.import_module(name)
    snakemake.cli.get_argument_parser()
    gc.freeze()
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if not child:
            work(asked)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")
        sys.stdout.flush()


def work(asked):
    """The child's part; it never returns."""
    import snakemake.cli

    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environ"])
    sys.path[:] = [asked["folder"], *(path for path in sys.path if path not in ("", str(TESTS)))]
    sys.argv = ["snakemake", *asked["arguments"]]
    for number, path in enumerate(asked["said"], start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    code = 1
    try:
        code = snakemake.cli.main()
    except SystemExit as end:  # as the interpreter takes it: a number, nothing, or what to say
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code or 0)
