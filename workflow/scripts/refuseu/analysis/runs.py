"""Runs by their labels: which belong in a table, and which are compared with which."""

from collections.abc import Iterable, Mapping
from typing import TypedDict


class Labels(TypedDict):
    """What a row of ``metrics.csv`` says of its run.

    Attributes
    ----------
    base : the abliterated model that it was trained from, is, or is the twin of; empty for an open model
    method : of training, or else base, instruct or open
    seed : of training; empty for a model that was not trained here
    """

    model: str
    base: str
    variant: str
    method: str
    seed: int | str


Models = Mapping[str, Labels]
Run = tuple[str, str]  # base and variant: seeds apart

SINGLE = "single_"
CONTROLS = ("balanced_small", "english_only_long")  # of the open question: as many pairs, as many steps
REFERENCES = ("abliterated", "balanced", "english_only")


def bases(models: Models) -> list[str]:
    """The base models of a study, in the order of its sheet."""
    return list(dict.fromkeys(model["base"] for model in models.values() if model["base"]))


def is_open(model: Labels) -> bool:
    return model["method"] == "open"


def is_single(model: Labels) -> bool:
    """One of the rows of the transfer matrix."""
    return model["variant"].startswith(SINGLE)


def not_single(model: Labels) -> bool:
    return not is_single(model)


def in_tables(model: Labels) -> bool:
    """Runs that have a column of their own: neither open models nor rows of the transfer matrix."""
    return not is_open(model) and not_single(model)


def is_aligned(model: Labels) -> bool:
    return in_tables(model) and model["seed"] != ""


def is_trained(model: Labels) -> bool:
    return model["seed"] != ""


def contrasts(models: Models) -> list[tuple[str, str]]:
    """(run, reference) within one base; trained references only at the run's own seed."""
    return [
        (run, reference)
        for run, a in models.items()
        for reference, b in models.items()
        if a["seed"] != "" and a["base"] == b["base"] and b["variant"] in REFERENCES and run != reference
        if b["seed"] in ("", a["seed"]) and a["variant"] != b["variant"]
    ]  # fmt: skip


def several_seeds(runs: Iterable[str], models: Models) -> dict[Run, list[str]]:
    """(base, variant) with more than one seed among these runs → those runs."""
    found: dict[Run, list[str]] = {}
    for run in runs:
        if models[run]["seed"] != "":
            found.setdefault((models[run]["base"], models[run]["variant"]), []).append(run)
    return {key: own for key, own in found.items() if len(own) > 1}
