"""English-only alignment with the consistency loss against balanced alignment: what each reaches and costs."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from refuseu.analysis.runs import Models
from refuseu.artifacts.frames import cells
from refuseu.artifacts.tables import number
from refuseu.records import read_jsonl

# Measure: its benchmark or kind of benchmarks, how it is scaled, and its digits.
MEASURES = {
    "asr": ("refuseu_test", 100, 2),
    "language_consistency": ("refuseu_test", 100, 1),
    "accuracy": ("knowledge", 1, 3),
    "fluency": ("fluency", 1, 2),
    "correctness": ("fluency", 1, 2),
    "over_refusal_rate": ("benign", 100, 1),
}
COSTS = {"pairs": 0, "translated_characters": 0, "training_tokens": 0, "gpu_hours": 3}
NOTE = (
    "Over all languages, rates in percent. Pairs: preference pairs that the run trains on, each with two answers. "
    "Translated characters: those of the prompts for the consistency loss, once per language. Training tokens: of the "
    "pairs, over all epochs. GPU-hours where models.tsv gives the base a GPU. What the dataset took to build is not "
    "in it. "
)
COLUMNS = ["base", "variant", "metric", "value", "ci_low", "ci_high", "n", "seeds", "spread"]


def rows(
    metrics: pd.DataFrame, costs: pd.DataFrame, runs: Sequence[tuple[str, str]], kinds: Mapping[str, str]
) -> pd.DataFrame:
    """One row per run and measure over all languages, then per run and cost; columns `COLUMNS`.

    Parameters
    ----------
    metrics : what `artifacts.read_metrics` returned
    costs : what `read_costs` returned
    runs : (base, variant) to show
    kinds : benchmark → its kind
    """
    parts = []
    for metric, (wanted, _, _) in MEASURES.items():
        chosen = [benchmark for benchmark, kind in kinds.items() if wanted in (benchmark, kind)]
        found = metrics[metrics["benchmark"].isin(chosen)]
        parts.append(cells(found, runs, {}, metric=metric).assign(metric=metric))
    for cost in COSTS:
        by_run = costs.groupby(["base", "variant"])[cost]
        found = by_run.mean().to_frame("value").assign(seeds=by_run.count(), spread=by_run.std())
        parts.append(found.reindex(runs).rename_axis(["base", "variant"]).reset_index().assign(metric=cost))
    return pd.concat([part.reindex(columns=COLUMNS).astype({"value": float}) for part in parts], ignore_index=True)


def read_costs(
    manifests: Iterable[str | Path],
    pairs: str | Path,
    models: Models,
    translated: Mapping[str, tuple[Sequence[str], Sequence[str]]],
) -> pd.DataFrame:
    """What the training of each run took: columns base, variant and those of `COSTS`, one row per manifest.

    Parameters
    ----------
    manifests : of adapters; a file's folder is its model
    pairs : all training pairs
    models : model → labels
    translated : model with the consistency loss → languages of its pairs, languages of their translations

    Returns
    -------
    ``translated_characters`` are those of the prompts, once for each language that they had to be translated into, as
    translators count them; 0 without the loss. What the building of the dataset took is not in it.
    """
    prompts = [(pair["language"], len(pair["prompt"])) for pair in read_jsonl(pairs)] if translated else []
    sent = {
        model: sum(length * len({*targets} - {own}) for own, length in prompts if own in sources)
        for model, (sources, targets) in translated.items()
    }
    found = []
    for path in manifests:
        model, facts = Path(path).parent.name, json.loads(Path(path).read_text(encoding="utf-8"))
        run = {key: models[model][key] for key in ("base", "variant")} | {
            "pairs": facts["pairs"]["kept"],
            "translated_characters": sent.get(model, 0),
            "training_tokens": facts["tokens_seen"],
            "gpu_hours": facts["seconds"] / 3600 * facts["gpus"] or np.nan,
        }
        found.append(run)
    return pd.DataFrame(found, columns=["base", "variant", *COSTS])


def texts(rows: pd.DataFrame) -> list[str]:
    """``value ± spread over seeds [interval]``, each part only where it exists."""
    found = []
    for row in rows.itertuples():
        scale, digits = MEASURES[row.metric][1:] if row.metric in MEASURES else (1, COSTS[row.metric])
        value, spread, low, high = (number(x, scale, digits) for x in (row.value, row.spread, row.ci_low, row.ci_high))
        found.append(value + (f" ± {spread}" if spread else "") + (f" [{low}, {high}]" if low else ""))
    return found
