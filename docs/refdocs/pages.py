"""Pages about config and sheets."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from refdocs.schemas import ROOT, SHEETS, Key, keys, load, shown, value_at

NOTICE = "<!-- Written by `make reference` from {}: change it there. -->\n"
KEYS = NOTICE.format("workflow/schemas")


def config_page() -> str:
    """docs/reference/config.md."""
    schema, config = load("config"), yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    lines = [
        "# config.yaml", "", KEYS,
        "Every key of a study's config. `config/config.yaml` is the paper's study and has them all; an overlay says "
        "only what differs, see [a study of your own](docs/howto/own_study.md). Unknown keys and wrong values stop a "
        "run before its first job. *Paper* is what the paper's study has.",
    ]  # fmt: skip
    for key in keys(schema):
        lines += entry(key, shown(value_at(config, key.place)))
    return linked(joined(lines), "docs/reference/config.md")


def entry(key: Key, paper: str) -> list[str]:
    """A heading for a key of the first level, a list item for any other."""
    facts = "; ".join(filter(None, [key.values if key.leaf else "", f"paper {paper}" if paper else ""]))
    if "." not in key.place and "[" not in key.place:
        return ["", f"## {key.place}", "", capital(key.meaning) + (f" *{capital(facts)}.*" if facts else ""), ""]
    return [f"- **`{key.place}`**: {key.meaning}" + (f" *{capital(facts)}.*" if facts else "")]


def joined(lines: list[str]) -> str:
    """Lines of a page, with never more than one that is empty."""
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)) + "\n"


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def sheets_page() -> str:
    """docs/reference/sheets.md."""
    lines = [
        "# Sheets and other files", "", KEYS,
        "What a user edits beside the config: tab-separated sheets (one header line, single tabs, a cell with "
        "quotation marks in quotation marks) and YAML files. Columns and keys that are not named here are refused.",
    ]  # fmt: skip
    for title, name in SHEETS.items():
        schema = load(name)
        sheet = title.endswith(".tsv")
        lines += ["", f"## {title}", "", f"{schema['description'].rstrip('.')}.", ""]
        lines += [schema["x-manual"].strip(), ""] if "x-manual" in schema else []
        for key in keys(schema):
            place = key.place.removeprefix("[].")
            empty = (
                ["the column may be missing"] if sheet and key.optional and "may be missing" not in key.meaning else []
            )
            facts = "; ".join([key.values, *empty] if key.leaf and key.values != "text" else empty)
            lines.append(f"- **`{place}`**: {key.meaning}" + (f" *{capital(facts)}.*" if facts else ""))
    return linked(joined(lines), "docs/reference/sheets.md")


def config_readme() -> str:
    """config/README.md: the same in short, beside the files that it is about."""
    lines = [
        "# Configuring a study", "", NOTICE.format("workflow/schemas"),
        "A study is a config file and its sheets; `config.yaml` is the paper's. A study of your own is an overlay that "
        "says only what differs, with its own `study`, such as `released.yaml`:",
        "",
        "```console", "$ snakemake --profile slurm --configfile config/released.yaml", "```", "",
        "How to change it, task by task: [how-to pages](docs/howto/index.md). The same keys with values and bounds: "
        "[config.yaml](docs/reference/config.md), [sheets](docs/reference/sheets.md). "
        "What a change runs again: [what runs again](docs/explanation/reruns.md).",
        "",
        "Most asked for: [a language](docs/howto/language.md), [a judge](docs/howto/judge.md), "
        "[a benchmark of your own](docs/howto/benchmark.md), "
        "[RTP-LX and PolygloToxicityPrompts](docs/howto/rtp_lx.md), which are not fetched, "
        "[a recipe](docs/howto/recipe.md), [your seeds](docs/howto/seeds.md).",
        "", "## config.yaml", "", "| key | meaning |", "|---|---|",
    ]  # fmt: skip
    lines += [f"| `{key.place}` | {cell(key.meaning)} |" for key in keys(load("config"))]
    for title in ("models.tsv", "variants.tsv", "benchmarks.tsv", "Recipes", "Tables of a benchmark", "claims.yaml"):
        schema = load(SHEETS[title])
        lines += ["", f"## {title}", "", f"{schema['description'].rstrip('.')}.", ""]
        lines += [schema["x-manual"].strip(), ""] if "x-manual" in schema else []
        lines += ["| key | meaning |", "|---|---|"]
        lines += [f"| `{key.place.removeprefix('[].')}` | {cell(key.meaning)} |" for key in keys(schema)]
    return linked(joined(lines), "config/README.md")


def cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def linked(text: str, target: str) -> str:
    """Links that are written from the repository's root, as they are from `target`."""

    def relative(found: re.Match[str]) -> str:
        return f"]({os.path.relpath(found[1], Path(target).parent)}{found[2] or ''})"

    return re.sub(r"\]\(((?:docs|config|resources|tests|workflow|rules)/[^)#]*)(#[^)]*)?\)", relative, text)


def written() -> Iterator[tuple[str, str]]:
    """File → its text."""
    yield "docs/reference/config.md", config_page()
    yield "docs/reference/sheets.md", sheets_page()
    yield "config/README.md", config_readme()
