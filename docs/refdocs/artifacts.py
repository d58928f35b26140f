"""Every table and figure: its files, its caption, what it is made from, and a small picture."""

from collections.abc import Iterator
from itertools import groupby

from refdocs.pages import NOTICE, joined
from refdocs.schemas import ROOT
from refdocs.targets import WHEN
from refuseu.artifacts.artifact import Artifact
from refuseu.artifacts.declared import ARTIFACTS

THUMBNAILS = "docs/pictures/figures"
TERMS = {
    "target": "what Snakemake is asked for by name, as in `snakemake --profile miniature fig3`; here the name of a "
    "table or figure",
    "artifact": "a table or figure, with its files",
    "base": "a model whose refusals were removed (*abliterated*) and from which others are trained; its *twin* is "
    "the instruct model that still refuses",
    "variant": "how a base is trained, a row of `variants.tsv`: languages, method, recipe, seed. *Balanced* is all "
    "languages, *English-only* one; *+ MLC* is with the consistency loss; a *control* has as many pairs "
    "or steps as another",
    "run": "one model that is measured: a trained variant (*aligned*), or, not trained here, a base, its twin or "
    "an open model",
    "row, cell": "a row of a table is a language or a run, a cell the value of one run in one language, an empty cell "
    "was not measured; unless the caption says otherwise",
    "group": "languages that are averaged, each with the same weight: high or low resource, or all (Ø)",
    "ASR": "attack success rate: the share of harmful prompts whose answer is unsafe by verdict",
    "RefusEU-test": "the test half of the study's own dataset (`refuseu_test`); other benchmarks are rows of "
    "`benchmarks.tsv`",
    "pair": "a harmful prompt with a chosen answer, which refuses, and a rejected one, which complies",
    "slot": "a request: category of harm and style of attack (and activity, where the config says so); its "
    "prompts stay in one half of the dataset",
    "guard, adjudicator, verdict": "two guards label each answer, the adjudicator decides where they "
    "differ; the verdict is safe, unsafe or *unparsed*, which counts in no ASR",
    "language consistency": "the share of answers that are in the language of the prompt",
    "interval": "of 95 % unless the config says otherwise: for slots, prompts and training seeds that might have been "
    "drawn",
    "published": "of the papers, in round brackets beside ours; empty where it was not recovered",
}


def entry(artifact: Artifact) -> list[str]:
    """Lines about one table or figure."""
    drawn_by = artifact.drawn.partition(":")
    on = ", ".join(f"`{one}`" for one in [*artifact.benchmarks.split(), *artifact.further])
    ends = "{csv,md,tex}" if artifact.kind == "table" else "{pdf,svg,png,csv}"
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
        lines += ["", f"![{artifact.title}, of the pocket study](../pictures/figures/{artifact.file}.png)"]
    return lines


def artifacts_page() -> str:
    """docs/reference/artifacts.md."""
    lines = [
        "# Tables and figures", "", NOTICE.format("workflow/scripts/refuseu/artifacts/declared"),
        "Each is a [target](targets.md) of its name, declared in one row of "
        "`workflow/scripts/refuseu/artifacts/declared/`. Files are below `results/<study>/`. "
        "**Pictures are of the [pocket study](../pocket/index.md)**, on a model of 270 million parameters.",
        "", "## Terms", "", *(f"- **{term}**: {meaning}." for term, meaning in TERMS.items()),
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
