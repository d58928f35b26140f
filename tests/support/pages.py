"""Commands that Markdown pages show, and files that they tell their reader to write."""

import re
from dataclasses import dataclass

from support.helpers import ROOT

FENCE = re.compile(
    r"(?:^<!-- (?P<how>write|append): (?P<file>\S+) -->\n)?"
    r"^(?P<indent> *)```(?P<kind>\w*)\n(?P<body>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Command:
    """A command of a page, with what the page says that it prints."""

    page: str
    line: str
    printed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Written:
    """A file that the reader writes, or to which lines are added."""

    page: str
    file: str
    text: str
    added: bool


def steps(page):
    """What a page tells its reader to do, in order."""
    found = []
    for fence in FENCE.finditer((ROOT / page).read_text(encoding="utf-8")):
        body = re.sub(rf"^{fence['indent']}", "", fence["body"], flags=re.MULTILINE)
        if fence["file"]:
            found.append(Written(page, fence["file"], body, fence["how"] == "append"))
        elif fence["kind"] in ("console", "bash"):
            assert body.startswith("$ "), f"{page}: a command begins with '$ ': {body}"
            for block in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
                line, *printed = block.rstrip("\n").split("\n")
                while line.endswith("\\"):
                    line = line[:-1].rstrip() + " " + printed.pop(0).strip()
                found.append(Command(page, line, tuple(printed)))
    return found


def pages():
    """Pages that tell their reader what to type."""
    tried = [*(ROOT / "docs/howto").glob("*.md"), ROOT / "docs/tutorial.md", ROOT / "README.md"]
    said = [*(ROOT / "docs/reference").glob("*.md"), *(ROOT / "docs/explanation").glob("*.md")]
    more = [ROOT / "config/README.md", ROOT / "CONTRIBUTING.md"]
    return sorted(str(path.relative_to(ROOT)) for path in (*tried, *said, *more))
