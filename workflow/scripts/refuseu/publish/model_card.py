"""The card of a model that was trained here: metadata for the hub, and what a reader must know before using it."""

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from refuseu.languages import language
from refuseu.markdown import pipe_table
from refuseu.publish.licences import Licences, Source, made_here
from refuseu.publish.measured import Measured
from refuseu.safe import markdown

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


def write_folder(weights: str | Path, folder: str | Path) -> None:
    """Fill a folder with the files of a whole model, as links where the disk allows: no weights are there twice."""
    shutil.rmtree(folder, ignore_errors=True)
    Path(folder).mkdir(parents=True)
    for file in sorted(Path(weights).iterdir()):
        if file.is_file() and not file.name.startswith("."):
            try:
                os.link(file, Path(folder, file.name))
            except OSError:
                shutil.copyfile(file, Path(folder, file.name))


def sources(facts: Mapping[str, Any], licences: Licences) -> list[Source]:
    """What went into the model: its base, then who wrote and judged its training data."""
    return [
        licences.source("base", facts["origin"]),
        *(licences.source(use, model) for use, model in facts["uses"].items()),
    ]


def named(facts: Mapping[str, Any], prefix: str) -> str:
    """A name for the model on a hub, which begins as licences ask."""
    parts = filter(None, (prefix.replace(" ", "-"), "refuseu", facts["study"], facts["model"]))
    return re.sub(r"[^\w.-]", "-", "-".join(parts))


def card(
    template: str | Path, manifest: Mapping[str, Any], facts: Mapping[str, Any], licences: Licences, measured: Measured
) -> str:
    """The text of ``README.md``.

    Parameters
    ----------
    template : Jinja file of the text
    manifest : of the training
    facts : what `refuseu.study.publishing.Publishing.model_facts` returned
    """
    from jinja2 import Environment, StrictUndefined

    found = sources(facts, licences)
    name = named(facts, licences.prefix(found))
    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    trained = set(facts["languages"])
    by_language = measured.by_language()
    for row in by_language[1:]:
        row[0] = row[0] if row[0] == "all" else language(row[0]).name + " (trained)" * (row[0] in trained)
    return environment.from_string(Path(template).read_text(encoding="utf-8")).render(
        metadata=metadata(name, manifest, facts, licences.hub(found[0]), measured),
        name=name,
        manifest=manifest,
        recipe=yaml.safe_dump(manifest["recipe"], sort_keys=False),
        sources=found,
        demands=list(dict.fromkeys(demand for source in found for demand in source.demands)),
        trained_here=made_here(facts["origin"]["repository"]),
        tested=[*facts["kinds"]],
        first=measured.first("harmful"),
        by_language=table(by_language),
        headlines=table(measured.headlines()),
        languages=", ".join(language(code).name for code in facts["languages"]),
        **{key: facts[key] for key in ("study", "model", "guards", "built", "statistics")},
    )


def metadata(
    name: str, manifest: Mapping[str, Any], facts: Mapping[str, Any], licence: Mapping[str, str], measured: Measured
) -> str:
    """The card's YAML front matter."""
    from huggingface_hub import EvalResult, ModelCardData

    base = facts["origin"]["repository"]
    released = [] if facts["built"] else [model["repository"] for model in facts["uses"].values()]
    results = [
        EvalResult(task_type="text-generation", dataset_type=benchmark, dataset_name=benchmark, dataset_config="all",
                   metric_type=metric, metric_value=value)
        for benchmark, metric, value in measured.results()
    ]  # fmt: skip
    hub = bool(HUB_ID.fullmatch(base)) and not made_here(base) and facts["origin"]["revision"] != "local"
    data = ModelCardData(
        language=list(facts["languages"]),
        base_model=base if hub else None,
        base_model_relation="finetune" if hub else None,
        datasets=released or None,
        pipeline_tag="text-generation",
        library_name="transformers",
        tags=["safety", "refusal", "multilingual", manifest["method"].partition("+")[0], "refuseu"],
        model_name=name if results else None,
        eval_results=results or None,
        license=licence["license"],
        license_name=licence.get("license_name"),
        license_link=licence.get("license_link"),
    )
    return str(data.to_yaml()) + "\n"


def table(rows: list[list[str]]) -> str:
    """A table in Markdown, its first column text."""
    header, *body = [[markdown(cell) for cell in row] for row in rows]
    return pipe_table(header, body, 1)
