"""English-only alignment with the consistency loss against balanced alignment: what each reaches and costs."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from refuseu.analysis.cells import cells
from refuseu.analysis.runs import Models, Run
from refuseu.records import read_jsonl

# Measure: its benchmark or kind of benchmarks.
MEASURES = {
    "asr": "refuseu_test",
    "language_consistency": "refuseu_test",
    "accuracy": "knowledge",
    "fluency": "fluency",
    "correctness": "fluency",
    "over_refusal_rate": "benign",
}
COSTS = ("pairs", "steps", "translated_characters", "training_tokens", "gpu_hours")
COLUMNS = ["base", "variant", "metric", "value", "ci_low", "ci_high", "n", "seeds", "spread"]


def reached_and_spent(
    metrics: pd.DataFrame, costs: pd.DataFrame, runs: Sequence[Run], kinds: Mapping[str, str]
) -> pd.DataFrame:
    """One row per run and measure over all languages, then per run and cost; columns `COLUMNS`.

    Parameters
    ----------
    metrics : what `cells.read_metrics` returned
    costs : what `read_costs` returned
    runs : (base, variant) to show
    kinds : benchmark → its kind
    """
    parts = []
    for metric, wanted in MEASURES.items():
        chosen = [benchmark for benchmark, kind in kinds.items() if wanted in (benchmark, kind)]
        found = metrics[metrics["benchmark"].isin(chosen)]
        parts.append(cells(found, runs, {}, metric=metric).assign(metric=metric))
    for cost in COSTS:
        by_run = costs.groupby(["base", "variant"])[cost]
        found = by_run.mean().to_frame("value").assign(seeds=by_run.count(), spread=by_run.std())
        parts.append(found.reindex(list(runs)).rename_axis(["base", "variant"]).reset_index().assign(metric=cost))
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
    translators count them; 0 without the loss. ``training_tokens`` are those of all forward passes: of training, and
    of the reference on the run's pairs. What the building of the dataset took is not in it.
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
            "steps": facts["steps"],
            "translated_characters": sent.get(model, 0),
            "training_tokens": facts["tokens_seen"] + facts["reference_tokens"],
            "gpu_hours": facts["seconds"] / 3600 * facts["gpus"] or np.nan,
        }
        found.append(run)
    return pd.DataFrame(found, columns=["base", "variant", *COSTS])
