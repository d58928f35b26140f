"""Where the uncertainty of a headline number comes from: prompts, slots and training seeds."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from refuseu.analysis.cells import headline, pick
from refuseu.analysis.open_question import MEASURES
from refuseu.analysis.runs import Run

PARTS = {"prompts": "var_prompts", "slots": "var_slots", "seeds": "var_seeds"}
COLUMNS = ["base", "variant", "metric", "part", "value"]


def variance_parts(metrics: pd.DataFrame, runs: Sequence[Run], kinds: Mapping[str, str]) -> pd.DataFrame:
    """Per run and headline measure over all languages: the standard error, and each part's share of its square.

    Parameters
    ----------
    metrics : what `cells.read_metrics` returned
    runs : (base, variant) to show
    kinds : benchmark → its kind

    Returns
    -------
    Columns `COLUMNS`; part is ``error`` or one of `PARTS`. The seeds' part is empty with one training seed; below 0, by
    chance, it counts as 0.
    """
    rows = []
    for metric, wanted in MEASURES.items():
        chosen = [benchmark for benchmark, kind in kinds.items() if wanted in (benchmark, kind)]
        found = pick(metrics[metrics["benchmark"].isin(chosen)], metric=metric, language="all")
        found = headline(found, ["base", "variant"]).set_index(["base", "variant"])
        for run in runs:
            own = found[found.index == run]
            parts = {part: own[column].iloc[0] if len(own) else np.nan for part, column in PARTS.items()}
            known = {part: max(value, 0) for part, value in parts.items() if not np.isnan(value)}
            total = sum(known.values()) if known else np.nan
            values = {"error": np.sqrt(total)} | {part: known.get(part, np.nan) / (total or np.nan) for part in PARTS}
            rows += [[*run, metric, part, value] for part, value in values.items()]
    return pd.DataFrame(rows, columns=COLUMNS)
