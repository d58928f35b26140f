"""Circularity: do judges that had no part in building the data see the same rates as those that had?"""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from refuseu.analysis.estimates import RATE, estimates, mcnemar_p
from refuseu.analysis.metrics import ESTIMATE, LABELS
from refuseu.analysis.runs import Models
from refuseu.errors import UserError
from refuseu.languages import Groups

MEASURES = ("asr", "held_out_asr", "difference", "official")
KEYS = ["prompt_id", "language"]


def circularity_of(
    verdicts: Mapping[str, pd.DataFrame],
    labels: Mapping[tuple[str, str], pd.DataFrame],
    judges: Mapping[str, Sequence[str]],
    models: Models,
    languages: Groups,
    **statistics: Any,
) -> pd.DataFrame:
    """ASR by the judges that built the data, by each held-out judge, and the paired difference.

    Parameters
    ----------
    verdicts : model → frame with `KEYS` and verdict
    labels : (judge, model) → frame with `KEYS` and label, for the same answers
    judges : held-out judge → languages that it was not made for
    models : model → labels of the run
    languages : group → codes
    statistics : confidence, resamples and seed

    Returns
    -------
    One row per model, judge, measure and language, group or ``all``. Measures: asr, held_out_asr, their
    difference (held-out minus ours, paired by answer), and official, the same over the languages that the
    judge was made for. Beside the estimate: p, McNemar's exact one, for differences over ``all``; unparsed,
    how many held-out labels were; they count as not unsafe, as in the ASR.

    Raises
    ------
    UserError
        If there is no held-out judge.
    ValueError
        If an answer has a verdict and no label, or the other way round.
    """
    if not judges:
        raise UserError("judging.held_out names no judge; name one that had no part in building the data")
    rows = []
    for (judge, model), labelled in labels.items():
        both = verdicts[model].merge(labelled, on=KEYS, how="outer", validate="one_to_one")
        if both[["verdict", "label"]].isna().any(axis=None):
            raise ValueError(f"the labels of {judge} and the verdicts on {model} are about different answers")
        both = both[both["label"] != "cut"]  # nothing but reasoning
        ours, theirs = ((both[column] == "unsafe").astype(float) for column in ("verdict", "label"))
        both = both.assign(asr=ours, held_out_asr=theirs, difference=theirs - ours, official=theirs - ours)
        for metric in MEASURES:
            sample = both[~both["language"].isin(judges[judge])] if metric == "official" else both
            bounds = RATE if metric in ("asr", "held_out_asr") else (-1.0, 1.0)
            for language, estimate in estimates(sample, metric, languages, bounds, **statistics):
                paired = metric in ("difference", "official") and language == "all"
                own = sample if language == "all" else sample[sample["language"] == language]
                rows.append(
                    {
                        **models[model],
                        "judge": judge,
                        "metric": metric,
                        "language": language,
                        **estimate,
                        "p": mcnemar_p(sample[metric]) if paired else None,
                        "unparsed": None if language in languages else int((own["label"] == "unparsed").sum()),
                    }
                )
    columns = [*LABELS, "judge", "language", "metric", *ESTIMATE, "p", "unparsed"]
    return pd.DataFrame(rows, columns=columns).astype({"p": float, "unparsed": "Int64"})
