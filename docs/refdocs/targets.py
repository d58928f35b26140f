"""Targets: from the docstrings of rules, and from the declarations of tables and figures."""

import re
from collections.abc import Iterator

from refdocs.pages import NOTICE, joined
from refdocs.schemas import ROOT, coded
from refuseu.artifacts.artifact import Artifact
from refuseu.artifacts.declared import ARTIFACTS

# File of rules → what its targets are called on the page.
ROOMS = {
    "targets": "Stop points",
    "report": "Claims, report, answers",
    "publish": "What leaves the study",
    "plan": "Costs",
    "measures": "Measures",
    "dataset": "Dataset",
    "audit": "Manual audit",
}
# When an artifact is no artifact by default (`study.selection.has`), in words.
WHEN = {
    "built": "where the dataset is built",
    "miniature": "miniature only",
    "audited": "once a sheet was returned",
    "held_out": "where `judging.held_out` names judges",
    "asked": "only when asked for",
    "consistent": "where a variant trains with `+mlc`",
}


def described(room: str) -> dict[str, str]:
    """Rule → its docstring, of the rules of a file that have one: those that are there to be asked for."""
    text = (ROOT / f"rules/{room}.smk").read_text(encoding="utf-8")
    return dict(re.findall(r'^ *rule (\w+):\n +"""(.+?)"""', text, re.MULTILINE))


def drawn(kind: str) -> list[Artifact]:
    """Tables or figures, in the order of the report."""
    return [artifact for artifact in ARTIFACTS if artifact.kind == kind]


def rows(kind: str) -> list[str]:
    """Lines of the table of tables or figures."""
    return [
        f"| [`{one.target}`](artifacts.md#{one.target}) | `{one.kind}s/{one.file}` | {one.title} "
        f"| {WHEN.get(one.when, '')} |"
        for one in drawn(kind)
    ]


def targets_page() -> str:
    """docs/reference/targets.md."""
    head = ["| target | files | what it is | made |", "|---|---|---|---|"]
    lines = [
        "# Targets", "", NOTICE.format("the docstrings in rules/ and workflow/scripts/refuseu/artifacts/declared"),
        "What can be asked for by name. Without a target the report is made, and with it everything that the study has "
        "by default. `-n` shows what would run.",
        "", "```console", "$ snakemake --profile miniature table1", "$ snakemake --profile slurm -n fig3 table2",
        "```", "",
        "A target needs what it shows: it trains and evaluates no other models. Files are below `results/<study>/`.",
    ]  # fmt: skip
    for room, title in ROOMS.items():
        lines += ["", f"## {title}", "", "| target | what it is |", "|---|---|"]
        lines += [f"| `{name}` | {coded(text, ())} |" for name, text in described(room).items()]
    lines += ["", "## Tables", "", "Each as CSV, Markdown and LaTeX.", "", *head, *rows("table")]
    lines += ["", "## Figures", "", "Each as PDF, SVG and PNG, with the drawn data as CSV.", "", *head, *rows("figure")]
    return joined(lines)


def written() -> Iterator[tuple[str, str]]:
    """File → its text."""
    yield "docs/reference/targets.md", targets_page()
