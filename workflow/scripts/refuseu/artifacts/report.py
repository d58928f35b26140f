"""The report: one HTML page that needs no network and no other file to be read."""

import base64
import itertools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypedDict

import pandas as pd
from markupsafe import Markup, escape

from refuseu import pages
from refuseu.analysis.runs import Models, bases, is_open
from refuseu.artifacts import tables
from refuseu.artifacts.names import name
from refuseu.artifacts.tables import number
from refuseu.joins import by_key
from refuseu.languages import Groups
from refuseu.records import read_jsonl

FIRST_WORDS = 6


class Said(TypedDict):
    """What the declaration says of a table or figure."""

    target: str
    section: str
    title: str
    caption: str
    csv: str
    models: list[str]
    benchmarks: list[str]
    method: str
    columns: int


@dataclass(frozen=True)
class Entry:
    """A table or figure as the page shows it.

    Attributes
    ----------
    said : its title and caption, and more
    caption : marked up
    image : SVG as a data URI (a figure)
    header, rows, note : its page (a table); of each row whether it is an average, and its cells
    beside : how it compares with what was published, if it has a published counterpart
    narrow : whether it is drawn for one column
    made : what is behind it: benchmarks, answers per number
    models : whose answers it shows
    method : where ``docs/explanation`` says how it comes about
    """

    said: Said
    caption: Markup
    image: str = ""
    header: Sequence[str] = ()
    rows: Sequence[tuple[bool, Sequence[str]]] = ()
    note: str = ""
    beside: str = ""
    narrow: bool = False
    made: Sequence[str] = ()
    models: Sequence[str] = ()
    method: str = ""


@dataclass(frozen=True)
class Example:
    """A prompt and what runs answer, each as its first words and the rest.

    Attributes
    ----------
    answers : (run, verdict, first words, rest)
    """

    language: str
    prompt: tuple[str, str]
    answers: Sequence[tuple[str, str, str, str]]


def read_entries(said: Iterable[Said], pages: Iterable[str], data: Iterable[str]) -> list[Entry]:
    """Tables and figures in the order given.

    Parameters
    ----------
    pages : the page of each table as JSON, as `tables.write` made it, and the SVG of each figure
    data : the CSV of each
    """
    found = []
    for one, path, csv in zip(said, pages, data, strict=True):
        cells = pd.read_csv(csv)
        entry = Entry(
            one,
            marked_up(one["caption"]),
            beside=beside(cells),
            narrow=one["columns"] == 1,
            made=made_from(one, cells),
            models=one["models"],
            method=one["method"],
        )
        if Path(path).suffix == ".svg":
            image = base64.b64encode(Path(path).read_bytes()).decode()
            found.append(replace(entry, image=f"data:image/svg+xml;base64,{image}"))
        else:
            page = tables.Page(**json.loads(Path(path).read_text(encoding="utf-8")))
            rows = list(zip(page.averages, page.rows, strict=True))
            found.append(replace(entry, header=page.header, rows=rows, note=page.note))
    return found


def made_from(said: Said, cells: pd.DataFrame) -> list[str]:
    """What is behind the numbers of an artifact: benchmarks, and how many answers each rests on."""
    found = [f"on {', '.join(said['benchmarks'])}"] if said["benchmarks"] else []
    counts = pd.to_numeric(cells["n"], errors="coerce").dropna() if "n" in cells else pd.Series(dtype=float)
    if len(counts):
        low, high = f"{counts.min():,.0f}", f"{counts.max():,.0f}"
        found.append(f"n = {low}" if low == high else f"n = {low} to {high}")
    return found


def beside(cells: pd.DataFrame) -> str:
    """How the cells of an artifact compare with the published ones, in words; empty if it has no such column."""
    if "published" not in cells:
        return ""
    if not (known := int(cells["published"].notna().sum())):
        return "The published values were not recovered."
    text = f"Published values: {known} of {len(cells)} cells recovered"
    if "published_inside" in cells and (tested := int(cells["published_inside"].notna().sum())):
        inside = int((cells["published_inside"].astype(str) == "True").sum())
        gap = cells.loc[cells["published_inside"].notna(), "difference"].abs().median()
        text += f"; {inside} of the {tested} that we measured lie in our interval, the median distance is "
        text += f"{number(gap, 100)} points"
    return text + "."


def marked_up(caption: str) -> Markup:
    """A caption as HTML: ``code`` and *emphasis* only."""
    html = re.sub(r"``(.+?)``", r"<code>\1</code>", str(escape(caption)))
    return Markup(re.sub(r"\*(.+?)\*", r"<em>\1</em>", html))


def facts(
    languages: Groups, models: Models, setup: Mapping[str, str], manifests: Iterable[str] = ()
) -> list[tuple[str, str]]:
    """What was run and where, as (what, value).

    Parameters
    ----------
    manifests : of the training runs
    """
    trained = dict.fromkeys(model["variant"] for model in models.values() if model["seed"] != "")
    groups = [f"{name('group', g)}: {', '.join(name('language', c) for c in codes)}" for g, codes in languages.items()]
    return [
        ("Languages", "; ".join(groups)),
        ("Bases", ", ".join(bases(models))),
        ("Trained variants", ", ".join(name("variant", variant) for variant in trained)),
        ("Open models", ", ".join(id for id, model in models.items() if is_open(model)) or "none"),
        *((what.replace("_", " ").capitalize(), value) for what, value in setup.items()),
        *trainings([(Path(path).parent.name, json.loads(Path(path).read_bytes())) for path in manifests]),
    ]


def trainings(runs: Sequence[tuple[str, Mapping[str, Any]]]) -> list[tuple[str, str]]:
    """Number, hours, hardware, software and code of the training runs, and which hardly moved.

    Parameters
    ----------
    runs : model and manifest of each
    """
    if not runs:
        return []
    manifests = [manifest for _, manifest in runs]
    still = [f"{run} (reward margin {facts['reward_margin']:.3f})" for run, facts in runs if facts.get("warning")]
    hours = sum(manifest["seconds"] for manifest in manifests) / 3600
    hardware = dict.fromkeys(str(manifest["hardware"]) for manifest in manifests)
    versions = dict.fromkeys(f"{k} {v}" for manifest in manifests for k, v in manifest["versions"].items())
    states = [manifest["git"] for manifest in manifests if manifest["git"]]
    code = dict.fromkeys(map(commit, states))
    return [
        ("Training", f"{len(manifests)} runs, {hours:.2f} hours in all on {', '.join(hardware)}"),
        ("Software", ", ".join(versions)),
        ("Code", ", ".join(code) or "not in a Git repository"),
        *([("Hardly moved from their base", ", ".join(still))] if still else []),
    ]


def commit(state: Mapping[str, Any]) -> str:
    """The state of a Git repository in short; empty outside one."""
    return f"{state['commit'][:12]}{' with changes' * state['dirty']}" if state else ""


def costs(rows: Iterable[Mapping[str, Any]]) -> list[list[str]]:
    """What each stage of the study took, summed over its models: stage, answers, tokens, hours, money.

    Parameters
    ----------
    rows : what `spending.report` returned; None is what is not known, and so is a sum with such a part
    """

    def total(group: Sequence[Mapping[str, Any]], key: str, scale: float, digits: int) -> str:
        parts = [row[key] for row in group]
        return "not known" if None in parts else f"{sum(parts) * scale:,.{digits}f}"

    stages = itertools.groupby(rows, key=lambda row: row["stage"])
    found = []
    for stage, group in ((stage, list(group)) for stage, group in stages):
        tokens = [{"tokens": row["prompt_tokens"] + row["completion_tokens"]} for row in group]
        counts = [total(group, "records", 1, 0), total(tokens, "tokens", 1, 0), total(group, "seconds", 1 / 3600, 2)]
        money = total(group, "money", 1, 2)
        unit = f" {group[0]['currency']}" if money != "not known" and group[0]["currency"] else ""
        found.append([stage, *counts, money + unit])
    return found


def examples(answers: Iterable[str], verdicts: Iterable[str], models: Models, per_language: int) -> list[Example]:
    """The first prompts of each language with what every run answers and how it was judged.

    Parameters
    ----------
    answers, verdicts : files of responses to one benchmark and of the verdicts on them; the folder is the model
    """
    shown: dict[str, tuple[str, str, list[tuple[str, str, str, str]]]] = {}
    judged = {Path(path).parent.name: path for path in verdicts}
    for path in answers:
        model = Path(path).parent.name
        label = models[model]
        seed = f", seed {label['seed']}" if label["seed"] != "" else ""
        run = f"{label['base']} {name('variant', label['variant'])}{seed}".strip()
        verdict = by_key(read_jsonl(judged[model]), judged[model])
        places: dict[str, int] = {}
        for row in read_jsonl(path):
            places[row["language"]] = places.get(row["language"], 0) + 1
            if places[row["language"]] <= per_language:
                example = shown.setdefault(row["prompt_id"], (row["language"], row["prompt"], []))
                example[2].append(
                    (run, verdict[row["language"], row["prompt_id"]]["verdict"], *first_words(row["response"]))
                )
    return [
        Example(name("language", language), first_words(prompt), found) for language, prompt, found in shown.values()
    ]


def first_words(text: str) -> tuple[str, str]:
    """The first words of a text on one line, and the whole text if there is more."""
    words = text.split()
    return " ".join(words[:FIRST_WORDS]), text if len(words) > FIRST_WORDS else ""


def page(
    template: str | Path,
    study: str,
    facts: Sequence[tuple[str, str]],
    claims: pd.DataFrame,
    entries: Sequence[Entry],
    command: str,
    sources: Sequence[Sequence[str]] = (),
    costs: Sequence[Sequence[str]] = (),
    examples: Sequence[Example] = (),
    code: str = "",
) -> str:
    """The page as HTML.

    Parameters
    ----------
    template : Jinja file
    claims : what `claims.as_frame` returned
    entries : tables and figures in the order of the page
    command : how a target is started, such as ``snakemake --profile slurm``
    sources : (what, id, repository, revision) of models and data
    costs, examples : what the functions of these names returned
    code : the commit that the page was made at
    """
    groups = [(rows.iloc[0], list(rows.itertuples())) for _, rows in claims.groupby("id", sort=False)]
    sections = [(title, list(found)) for title, found in itertools.groupby(entries, lambda one: one.said["section"])]
    return pages.html(
        template,
        study=study,
        facts=facts,
        claims=groups,
        sections=sections,
        command=command,
        sources=sources,
        costs=costs,
        examples=examples,
        code=code,
        main=[(one, [(row, in_words(row)) for row in rows]) for one, rows in groups if str(one["main"]) == "True"],
    )


def in_words(row: Any) -> str:
    """The numbers behind a verdict as far as they fit into a sentence: the first estimate without its counts."""
    first, *others = str(row.evidence).split("; ")
    return first.partition(" (")[0] + (f", and {len(others)} more" if others else "")
