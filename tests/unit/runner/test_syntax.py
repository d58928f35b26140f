"""A digest of code counts what runs, and is the same under every version of Python."""

import json
import os
import subprocess
import sys
from itertools import chain
from pathlib import Path
from shutil import which

import pytest

from refuseu.runner import syntax
from support.helpers import SCRIPTS

# What versions of Python write differently into their trees, each with its digest.
PINNED = {
    'x = f"a{b}c" "d" f"{e}"': "57572dd8",
    'x = f"{a=}"': "088f2bdb",
    'x = f"plain {{}} {a!r:>{width}.2f} {b:} end" "" f""': "d7fac462",
    "x = u'kind'": "bdbee529",
    "x = a[1:2, ..., *b]": "5169c1c8",
    "def f(a, /, b: int = 1, *c, d=None, **e) -> str: return a": "ae8c2290",
    "class A(B, metaclass=C):\n    x: int = 1\n    y: list[str]": "8f4a8a85",
    "async def f():\n    async with a as b:\n        return [c async for c in d]": "b5b55646",
    "match a:\n    case {'b': [1, *_], **rest} | None if b: pass": "09c87ae4",
    "try:\n    pass\nexcept* ValueError as e:\n    raise\nfinally:\n    pass": "286df190",
    "x = {**a, 'b': -1, 'ü\\ud800😀\\u0378': 1e300j}": "1fbe773e",
    "with (open(a) as b, c): del d, e[0]": "ab607230",
    "x = lambda *a, b=(): (yield b)": "ff738a54",
    "import a.b, c as d\nfrom .e import *\nfrom f import g as h": "b3ba46c4+c79d3dea+09259cbb",
    "global a\nx: int = 1\nx += b'\\xff'": "afbf6398+7d249217+3a53c96f",
    "x = True, 1, 1.0, None, ..., '', b'', 0xFFFF_FFFF_FFFF_FFFF": "d32071fb",
}


def digests(source):
    return [one.digest for one in syntax.statements(source.encode())]


def one_digest(source):
    return "+".join(digest[:8] for digest in digests(source))


@pytest.mark.parametrize(("source", "expected"), PINNED.items())
def test_what_versions_of_python_parse_differently_has_one_digest(source, expected):
    assert one_digest(source) == expected


CODE = """
import sys, json
sys.path.insert(0, sys.argv[1])
from refuseu.runner import provenance, syntax
found = {p.name: provenance.code_digest(p.name) for p in provenance.SCRIPTS.glob("*.py")}
pinned = {s: [one.digest for one in syntax.statements(s.encode())] for s in json.load(sys.stdin)}
print(json.dumps([found, pinned], sort_keys=True))
"""


def interpreters():
    """Python 3.11 and later on the path, and those of pyenv: one of each minor version."""
    names = [f"python3.{minor}" for minor in range(11, 20)]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    found = {
        name: [which(name), *map(str, pyenv.glob(f"{name.removeprefix('python')}.*/bin/python"))] for name in names
    }
    return {name: path for name, paths in found.items() for path in paths if path and runs(path)}


def runs(python):
    return subprocess.run([python, "-c", ""], capture_output=True).returncode == 0


def test_every_python_that_is_here_finds_the_same_digests_without_any_package(tmp_path):
    found = {}
    for name, python in {"this": sys.executable, **interpreters()}.items():
        command = [python, "-I", "-B", "-c", CODE, str(SCRIPTS)]
        ended = subprocess.run(command, cwd=tmp_path, input=json.dumps(list(PINNED)), capture_output=True, text=True)
        assert ended.returncode == 0, (name, ended.stderr)
        found[name] = ended.stdout
    assert len(json.loads(found["this"])[0]) > 30
    assert {name for name, text in found.items() if text != found["this"]} == set()


SAME = [
    ("x = 1", "# A comment.\nx   =  1  # another"),
    ("def f(): return 1", 'def f():\n    """A docstring."""\n    return 1'),
    ("class A: x = 1", "class A:\n    'A docstring.'\n    x = 1\n    'of x'"),
    ("async def f(): return 1", 'async def f():\n    """A docstring."""\n    return 1'),
    ("def f(a, *b, c=1, **d): return 1", "def f(a: int, *b: str, c: 'float' = 1, **d: X) -> list[int]: return 1"),
    ("x = 1", "x: int = 1"),
    ("def f():\n    x = 1", "def f():\n    y: str\n    x: int = 1"),
    ("class A:\n    def f(self):\n        x = 1", "class A:\n    def f(self) -> None:\n        x: int = 1"),
    ("x = 1", '"""A module."""\nfrom typing import Any\nfrom collections.abc import Iterable\nx = 1'),
    ("x = 1", "if TYPE_CHECKING:\n    from a import B\nx = 1"),
    ("x = 1", "if TYPE_CHECKING:\n    from a import B\nelse:\n    x = 1"),
    ("x = 'ab'", 'x = ("a"\n"b")'),
    ("x = f'a{b}c'", 'x = "a" f"{b}" "c"'),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_does_not_run_does_not_count(one, other):
    assert digests(one) == digests(other)


DIFFERENT = [
    "x = 1", "x = True", "x = 1.0", "x = '1'", "x = b'1'", "y = 1", "x = None", "x = ()", "x = []", "x = {}",
    "x = {**a}", "x = {None: 1}", "x = f'{a}'", "x = f'{a!r}'", "x = f'{a:>3}'", "x = f'{a:{b}}'", "x = 'a'",
    "x = a, None", "x += 1", "x[0] = 1", "del x", "import x", "import x as y", "from x import y", "from .x import y",
    "from y import x",
    "def f(): return", "def f(a): return", "def f(*a): return", "def f(a=None): return", "def f(*, a): return",
    "def f(*, a=None): return", "async def f(): return", "@g\ndef f(): return", "class f: pass", "class f(g): pass",
    "class f:\n    x: int", "class f:\n    x: str", "class f:\n    x: int = 1", "class f:\n    x = 1",
    "x = [a for a in b]", "x = {a for a in b}", "x = (a for a in b)", "x = [a for a in b if c]",
    "match x:\n    case None: pass", "match x:\n    case True: pass", "match x:\n    case _: pass",
    "try: a\nexcept b: c", "try: a\nexcept* b: c", "for x in y: pass", "while x: pass", "if x: pass", "with x: pass",
]  # fmt: skip


def test_whatever_runs_differently_counts():
    found = {source: tuple(digests(source)) for source in DIFFERENT}
    assert len(set(found.values())) == len(found)


@pytest.mark.parametrize(
    ("source", "uses"),
    [
        ("def f(a, *b, c=d, **e): return a + b + g", {"d", "g"}),
        ("def f():\n    a = b\n    return a", {"b"}),
        ("def f():\n    global a\n    a = 1", {"a"}),
        ("def f():\n    a = 1\n    def g(b): return a + b + c\n    return g", {"c"}),
        ("def f(): return [a for a in b] + a", {"a", "b"}),
        ("def f(): return [a for a in b]", {"a", "b"}),  # one too many
        ("def f():\n    class A:\n        b = c\n    return A", {"b", "c"}),
        ("@a(b)\ndef f(): return (lambda c: c + d)(e)", {"a", "b", "d", "e"}),
        ("class A(B):\n    x: C = D\n    def f(self): return self.g + h", {"B", "C", "D", "h", "x"}),
        ("x = a.b[c]", {"x", "a", "c"}),
        ("def f():\n    import a.b\n    from c import d as e\n    return a, e, d", {"d"}),
    ],
)
def test_the_names_that_a_statement_may_read_are_found(source, uses):
    assert set(syntax.statements(source.encode())[0].uses) == uses


def test_imports_inside_functions_are_found():
    source = "import a.b\nfrom c import d, e as f\ndef g():\n    if x:\n        from h.i import j"
    found = chain.from_iterable(one.imports for one in syntax.statements(source.encode()))
    assert list(found) == ["a.b", "c.d", "c.e", "h.i.j"]


def test_a_file_that_cannot_be_parsed_is_named():
    with pytest.raises(SyntaxError) as caught:
        syntax.statements(b"def f(", "workflow/scripts/refuseu/broken.py")
    assert caught.value.filename == "workflow/scripts/refuseu/broken.py"
