"""Circularity: do judges that had no part in building the data see the same rates as those that had?"""

from collections.abc import Mapping, Sequence

import pandas as pd

from refuseu.analysis.comparisons import difference_rows
from refuseu.analysis.estimates import INTERVAL, RATE, estimates
from refuseu.analysis.metrics import LABELS
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
    confidence: float,
    seed: int,
) -> pd.DataFrame:
    """ASR by the judges that built the data, by each held-out judge, and the paired difference.

    Parameters
    ----------
    verdicts : model → frame with `KEYS`, cluster and verdict
    labels : (judge, model) → frame with `KEYS` and label, for the same answers
    judges : held-out judge → languages that it was not made for
    models : model → labels of the run
    languages : group → codes
    seed : of the sign flips

    Returns
    -------
    One row per model, judge, measure and language, group or ``all``. Measures: asr, held_out_asr, their
    difference (held-out minus ours, paired by answer), and official, the same over the languages that the
    judge was made for. Beside the estimate: p, of sign flips of clusters, for differences over ``all``; unparsed,
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
            paired = metric in ("difference", "official")
            found = (
                difference_rows([sample], metric, languages, 1.0, confidence, seed)
                if paired
                else dict(estimates(sample, metric, languages, RATE, confidence))
            )
            for language, estimate in found.items():
                own = sample if language == "all" else sample[sample["language"] == language]
                rows.append(
                    {
                        **models[model],
                        "judge": judge,
                        "metric": metric,
                        "language": language,
                        **{name: estimate[name] for name in (*INTERVAL, "clusters")},
                        "p": estimate["p"] if paired and language == "all" else None,
                        "unparsed": None if language in languages else int((own["label"] == "unparsed").sum()),
                    }
                )
    columns = [*LABELS, "judge", "language", "metric", *INTERVAL, "clusters", "p", "unparsed"]
    return pd.DataFrame(rows, columns=columns).astype({"p": float, "unparsed": "Int64"})
