"""The report: one HTML page that needs no network and no other file to be read."""

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from refuseu.artifacts import Models, bases, is_open, name
from refuseu.errors import UserError
from refuseu.estimates import Groups


@dataclass(frozen=True)
class Artifact:
    """A table or figure as the page shows it.

    Attributes
    ----------
    rule : the target that makes it
    title, caption : from its caption file
    image : PNG as a data URI (a figure)
    header, rows, note : its page (a table)
    csv : its data, relative to the report
    """

    rule: str
    title: str
    caption: Markup
    csv: str
    image: str = ""
    header: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    note: str = ""


def read_artifacts(tables: Iterable[str], figures: Iterable[str], captions: Iterable[str]) -> list[Artifact]:
    """Tables (Markdown), then figures (PNG), each with the caption that stands at the same place.

    Parameters
    ----------
    captions : reStructuredText files named after their rules, first those of the tables
    """
    found = []
    for path, caption in zip([*tables, *figures], captions, strict=True):
        title, text = read_caption(caption)
        csv = Path(path).with_suffix(".csv")
        common = {
            "rule": Path(caption).stem,
            "title": title,
            "caption": text,
            "csv": f"{csv.parent.name}/{csv.name}",
        }
        if Path(path).suffix == ".png":
            image = base64.b64encode(Path(path).read_bytes()).decode()
            found.append(Artifact(**common, image=f"data:image/png;base64,{image}"))
        else:
            header, rows, note = read_table(Path(path).read_text(encoding="utf-8"))
            found.append(Artifact(**common, header=header, rows=rows, note=note))
    return found


def read_caption(path: str | Path) -> tuple[str, Markup]:
    """Title and text of a caption: ``**Title.** text``, with ``code`` and *emphasis* only.

    Raises
    ------
    UserError
        If the file does not start with a title.
    """
    text = " ".join(Path(path).read_text(encoding="utf-8").split())
    if not (match := re.fullmatch(r"\*\*(.+?)\.?\*\*\s*(.*)", text)):
        raise UserError(f"{path} does not start with a title; write it as **Title.** before the text")
    title, body = match.groups()
    html = re.sub(r"``(.+?)``", r"<code>\1</code>", str(escape(body)))
    return title, Markup(re.sub(r"\*(.+?)\*", r"<em>\1</em>", html))


def read_table(text: str) -> tuple[list[str], list[list[str]], str]:
    """Header, rows and note of a Markdown table that `tables.write` made."""
    lines = text.splitlines()
    piped = [line.strip("|").split("|") for line in lines if line.startswith("|")]
    header, _, *rows = [[cell.strip() for cell in cells] for cells in piped]
    note = " ".join(line for line in lines if line and not line.startswith(("|", "#")))
    return header, rows, note


def facts(languages: Groups, models: Models, setup: Mapping[str, str]) -> list[tuple[str, str]]:
    """What was run, as (what, value)."""
    trained = dict.fromkeys(model["variant"] for model in models.values() if model["seed"] != "")
    groups = [f"{name('group', g)}: {', '.join(name('language', c) for c in codes)}" for g, codes in languages.items()]
    return [
        ("Languages", "; ".join(groups)),
        ("Bases", ", ".join(bases(models))),
        ("Trained variants", ", ".join(name("variant", variant) for variant in trained)),
        ("Open models", ", ".join(id for id, model in models.items() if is_open(model)) or "none"),
        *((what.replace("_", " ").capitalize(), value) for what, value in setup.items()),
    ]


def page(
    template: str | Path,
    study: str,
    facts: Sequence[tuple[str, str]],
    claims: pd.DataFrame,
    artifacts: Sequence[Artifact],
    command: str,
) -> str:
    """The page as HTML.

    Parameters
    ----------
    template : Jinja file
    claims : what `claims.verdicts` returned
    command : how a target is started, such as ``snakemake --profile slurm``
    """
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    source = Path(template).read_text(encoding="utf-8")
    groups = [(rows.iloc[0], list(rows.itertuples())) for _, rows in claims.groupby("id", sort=False)]
    return environment.from_string(source).render(
        study=study, facts=facts, claims=groups, artifacts=artifacts, command=command
    )
