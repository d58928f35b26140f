"""Every table and figure: its files, its caption, what it is made from, and a small picture."""

from collections.abc import Iterator
from itertools import groupby

from refdocs.pages import NOTICE, joined
from refdocs.schemas import ROOT
from refdocs.targets import WHEN
from refuseu.artifacts.artifact import Artifact
from refuseu.artifacts.declared import ARTIFACTS

THUMBNAILS = "docs/pictures/figures"


def entry(artifact: Artifact) -> list[str]:
    """Lines about one table or figure."""
    drawn_by = artifact.drawn.partition(":")
    on = ", ".join(f"`{one}`" for one in [*artifact.benchmarks.split(), *artifact.further])
    ends = "{csv,md,tex}" if artifact.kind == "table" else "{pdf,png,csv}"
    facts = [
        f"`{artifact.kind}s/{artifact.file}.{ends}`",
        f"on {on}" if on else "",
        "beside published numbers" if artifact.published else "",
        f"made {when}" if (when := WHEN.get(artifact.when, "")) else "",
        f"drawn by [`{drawn_by[0]}.{drawn_by[2]}`](../../workflow/scripts/refuseu/artifacts/{drawn_by[0]}.py)",
    ]
    lines = [
        "",
        f"### {artifact.target}",
        "",
        f"**{artifact.title}** ({'; '.join(filter(None, facts))})",
        "",
        artifact.caption,
    ]
    picture = f"{THUMBNAILS}/{artifact.file}.png"
    if artifact.kind == "figure" and (ROOT / picture).exists():
        lines += ["", f"![{artifact.title}, of a cut of the miniature](../pictures/figures/{artifact.file}.png)"]
    return lines


def artifacts_page() -> str:
    """docs/reference/artifacts.md."""
    lines = [
        "# Tables and figures", "", NOTICE.format("workflow/scripts/refuseu/artifacts/declared"),
        "Each is a [target](targets.md) of its name, declared in one row of "
        "`workflow/scripts/refuseu/artifacts/declared/`. Files are below `results/<study>/`. "
        "**Pictures are of a cut of the miniature**, whose tiny models say nothing about the paper's.",
    ]  # fmt: skip
    shown = [artifact for artifact in ARTIFACTS if artifact.kind != "page"]
    for section, members in groupby(shown, lambda artifact: artifact.section):
        lines += ["", f"## {section}"]
        for artifact in members:
            lines += entry(artifact)
    return joined(lines)


def written() -> Iterator[tuple[str, str]]:
    """File → its text."""
    yield "docs/reference/artifacts.md", artifacts_page()
