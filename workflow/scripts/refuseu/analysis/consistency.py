"""What the consistency loss did to a run: its settings, and the cosine of the raw states before and after."""

import json
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from refuseu.analysis.runs import Models

SETTINGS = ("layer", "lambda", "temperature", "every")
COSINES = ("cosine_before", "cosine_after")


def read_consistency(logs: Iterable[str | Path], manifests: Iterable[str | Path], models: Models) -> pd.DataFrame:
    """Columns base, variant, seed, those of `SETTINGS` and `COSINES`; one row per run with the loss.

    Parameters
    ----------
    logs, manifests : of adapters; a file's folder is its model
    models : model → labels

    Returns
    -------
    ``cosine_before`` and ``cosine_after`` are means over all pairs of languages of the cosine between the raw hidden
    states of a prompt and its translations, on the batches of the first and the last tenth of what was logged.
    """
    logged = {Path(path).parent.name: path for path in logs}
    found = []
    for path in manifests:
        model = Path(path).parent.name
        recipe = json.loads(Path(path).read_text(encoding="utf-8"))["recipe"]
        if model not in models or "mlc" not in recipe:
            continue
        cosines = pd.read_csv(logged[model])["cosine"].dropna()
        tenth = max(1, len(cosines) // 10)
        found.append(
            {key: models[model][key] for key in ("base", "variant", "seed")}
            | {key: float(recipe["mlc"][key]) for key in SETTINGS}
            | dict(zip(COSINES, (cosines[:tenth].mean(), cosines[-tenth:].mean()), strict=True))
        )
    return pd.DataFrame(found, columns=["base", "variant", "seed", *SETTINGS, *COSINES])
