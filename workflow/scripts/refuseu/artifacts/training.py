"""Tables and figures of the training: how it went, what it cost, and the question that the papers leave open."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from refuseu.analysis.cells import cells, pick, read_metrics
from refuseu.analysis.consistency import COSINES, SETTINGS, read_consistency
from refuseu.analysis.open_question import MEASURES, reached_and_spent, read_costs
from refuseu.analysis.runs import Models
from refuseu.artifacts import tables
from refuseu.artifacts.figures import curves
from refuseu.artifacts.names import name
from refuseu.artifacts.order import runs
from refuseu.artifacts.reached import reached
from refuseu.artifacts.tables import Table, number
from refuseu.languages import Groups

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
# The same of the settings of the consistency loss, and of cosines.
SWEPT = {"layer": (1, 0), "lambda": (1, 2), "temperature": (1, 2), "every": (1, 0), "cosine": (1, 2), "asr": (100, 1)}


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
    measured = read_metrics(*measures)
    rows = reached_and_spent(measured, costs, runs(models), kinds)
    return Table(
        rows,
        reached_texts(rows),
        rows=["base", "variant"],
        columns=["metric"],
        title="Does English-only alignment with translated prompts reach balanced alignment?",
        note="Over all languages; accuracy is a fraction, fluency and correctness run from 1 to 5, other rates are "
        "percent. Pairs: preference pairs that the run trains on, each with two answers. Steps: of the optimiser. "
        "Translated characters: those of the prompts for the consistency loss, once per language. Training tokens: "
        "all that pass through the model, each prompt with each answer (with DPO once more, for the reference) and "
        "the prompts of the consistency loss. 'Few pairs' takes as many pairs of all languages as English-only has, "
        "'many steps' about as many steps as balanced, so that languages and amount can be told apart. GPU-hours "
        "where models.tsv gives the base a GPU. What the dataset took to build is "
        f"not in it. {tables.lost_note(measured[measured['metric'].isin(MEASURES)])}{tables.SEEDS}",
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


def consistency(
    measures: Sequence[str], logs: Sequence[str], manifests: Sequence[str], models: Models, languages: Groups
) -> Table:
    """Runs with the consistency loss: their settings, what it did to the raw states, and ASR per language."""
    trained = read_consistency(logs, manifests, models)
    shown = [*SETTINGS, *COSINES]
    by_run = trained.groupby(["base", "variant"])[shown].mean()
    of = [run for run in runs(models) if run in by_run.index]
    parts = [by_run[[key]].set_axis(["value"], axis=1).assign(metric=key, language="") for key in shown]
    known = pd.concat([part.reindex(of).rename_axis(["base", "variant"]).reset_index() for part in parts])
    known = known.assign(column=[name("metric", key) for key in known["metric"]])
    measured = pick(read_metrics(*measures), benchmark="refuseu_test", metric="asr")
    asr = cells(measured, of, languages).assign(metric="asr")
    asr = asr.assign(column=[name("language", scope) for scope in asr["language"]])
    rows = pd.concat([known, asr], ignore_index=True)
    printed = [SWEPT[metric.partition("_")[0]] for metric in rows["metric"]]
    return Table(
        rows,
        [number(value, *form) for value, form in zip(rows["value"], printed, strict=True)],
        rows=["base", "variant"],
        columns=["column"],
        title="Did the consistency loss make languages collinear, and did safety follow?",
        note="Cosine: between the raw hidden states of a prompt and its translations at the layer of the loss, mean "
        "over all pairs of languages, on the first and on the last tenth of the logged batches. A lambda of 0 only "
        f"measures. Then ASR [%] on RefusEU-test. {tables.lost_note(measured)}{tables.OVER_SEEDS}",
    )
