"""Tables and figures of the training: how it went, what it cost, and the question that the papers leave open."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from refuseu.analysis.cells import read_metrics
from refuseu.analysis.open_question import reached_and_spent, read_costs
from refuseu.analysis.runs import Models
from refuseu.artifacts import tables
from refuseu.artifacts.figures import curves, reached
from refuseu.artifacts.order import runs
from refuseu.artifacts.tables import Table, number

# How a measure is scaled, and its digits; costs are printed as they are.
PRINTED = {
    "asr": (100, 2),
    "language_consistency": (100, 1),
    "accuracy": (1, 3),
    "fluency": (1, 2),
    "correctness": (1, 2),
    "over_refusal_rate": (100, 1),
    "gpu_hours": (1, 3),
}


def training_curves(logs: Sequence[str], models: Models, width: float) -> tuple[Figure, pd.DataFrame]:
    """Loss, reward and consistency of every training run, from its log."""
    data = read_logs(logs, models)
    return curves(data, width), data


def read_logs(paths: Iterable[str | Path], models: Models) -> pd.DataFrame:
    """Training logs below each other, with base, variant and seed; a file's folder is its model."""
    columns = ["epoch", "loss", "reward_margin", "reward_accuracy", "mlc_loss", "singular_share", "cosine"]
    labels = ["base", "variant", "seed"]
    parts = [
        pd.read_csv(path)
        .reindex(columns=["step", *columns])
        .assign(base=run["base"], variant=run["variant"], seed=run["seed"])
        for path, run in ((path, models[Path(path).parent.name]) for path in paths)
    ]
    frame = pd.concat(parts) if parts else pd.DataFrame(columns=["step", *columns, *labels])
    return frame[[*labels, "step", *columns]]


def open_question(
    measures: Sequence[str],
    manifests: Sequence[str],
    pairs: str,
    models: Models,
    kinds: Mapping[str, str],
    translated: Mapping[str, tuple[Sequence[str], Sequence[str]]],
) -> Table:
    """English-only alignment with the consistency loss against balanced alignment: what each reaches and costs."""
    costs = read_costs(manifests, pairs, models, translated)
    rows = reached_and_spent(read_metrics(*measures), costs, runs(models), kinds)
    return Table(
        rows,
        reached_texts(rows),
        rows=["base", "variant"],
        columns=["metric"],
        title="Does English-only alignment with translated prompts reach balanced alignment?",
        note="Over all languages, rates in percent. Pairs: preference pairs that the run trains on, each with two "
        "answers. Steps: of the optimiser. Translated characters: those of the prompts for the consistency loss, once "
        "per language. Training tokens: all that pass through the model, each prompt with each answer (with DPO once "
        "more, for the reference) and the prompts of the consistency loss. Balanced small takes as many pairs of all "
        "languages as English-only has, English-only long about as many steps as balanced, so that languages and "
        "amount can be told apart. GPU-hours where models.tsv gives the base a GPU. What the dataset took to build is "
        "not in it. " + tables.SEEDS,
    )


def reached_texts(rows: pd.DataFrame) -> list[str]:
    """``value ± spread over seeds [interval]``, each part only where it exists."""
    found = []
    for row in rows.to_dict("records"):
        scale, digits = PRINTED.get(row["metric"], (1, 0))
        parts = (row[column] for column in ("value", "spread", "ci_low", "ci_high"))
        value, spread, low, high = (number(part, scale, digits) for part in parts)
        found.append(value + (f" ± {spread}" if spread else "") + (f" [{low}, {high}]" if low else ""))
    return found


def open_question_figure(table: str, width: float) -> tuple[Figure, pd.DataFrame]:
    """The same as a figure."""
    data = pd.read_csv(table, keep_default_na=False, na_values="", dtype={"base": str})
    return reached(data, width), data
