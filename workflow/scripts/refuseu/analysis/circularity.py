"""Circularity: do judges that had no part in building the data see the same rates as those that had?"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from refuseu.analysis.comparisons import difference_rows
from refuseu.analysis.estimates import INTERVAL, RATE, means, rows_of
from refuseu.analysis.metrics import ALL_SEEDS, DECIDED, LABELS, alike
from refuseu.analysis.runs import Models, several_seeds
from refuseu.analysis.seeds import over_runs_by_scope
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
    One row per model, judge, measure and language, group or ``all``, then the same over the training seeds of a
    variant that has several (seed `ALL_SEEDS`, no model). Measures: asr, held_out_asr, their
    difference (held-out minus ours, paired by answer), and official, the same over the languages that the
    judge was made for. Beside the estimate: p, of sign flips of clusters, for differences over ``all``; unparsed,
    how many held-out labels were. What is unparsed is in no rate, and a difference needs both words, as in the ASR.

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
    for judge, outside in judges.items():
        runs = {
            model: both_labels(verdicts[model], own, f"the labels of {judge} and the verdicts on {model}")
            for (by, model), own in labels.items()
            if by == judge
        }
        for model, own in runs.items():
            rows += [
                {**models[model], "judge": judge, **row}
                for row in compared([own], outside, languages, confidence, seed)
            ]
        for several in several_seeds(runs, models).values():
            whole = {**models[several[0]], "model": "", "seed": ALL_SEEDS, "judge": judge}
            samples = alike([runs[model] for model in several])
            rows += [whole | row for row in compared(samples, outside, languages, confidence, seed)]
    columns = [*LABELS, "judge", "language", "metric", *INTERVAL, "clusters", "p", "unparsed"]
    return pd.DataFrame(rows, columns=columns).astype({"p": float, "unparsed": "Int64"})


def both_labels(verdicts: pd.DataFrame, labels: pd.DataFrame, what: str) -> pd.DataFrame:
    """One row per answer with a column per measure, NaN where a label that it needs is neither safe nor unsafe."""
    both = verdicts.merge(labels, on=KEYS, how="outer", validate="one_to_one")
    if both[["verdict", "label"]].isna().any(axis=None):
        raise ValueError(f"{what} are about different answers")
    words = (both[column] for column in ("verdict", "label"))
    ours, theirs = ((said == "unsafe").astype(float).where(said.isin(DECIDED)) for said in words)
    return both.assign(asr=ours, held_out_asr=theirs, difference=theirs - ours, official=theirs - ours)


def compared(
    runs: Sequence[pd.DataFrame], outside: Sequence[str], languages: Groups, confidence: float, seed: int
) -> Iterator[dict[str, Any]]:
    """Rows without labels: means over runs that differ in their training seed alone."""
    for metric in MEASURES:
        samples = [run[~run["language"].isin(outside)] for run in runs] if metric == "official" else runs
        paired = metric in ("difference", "official")
        if paired:
            found = difference_rows(samples, metric, languages, 1.0, confidence, seed)
        else:
            scopes, whole = over_runs_by_scope([means(sample, metric, languages) for sample in samples])
            found = dict(zip(scopes, rows_of(whole, RATE, confidence), strict=True))
        labels = pd.concat([run[["language", "label"]] for run in samples])
        for language, estimate in found.items():
            own = labels if language == "all" else labels[labels["language"] == language]
            yield {
                "metric": metric,
                "language": language,
                **{name: estimate[name] for name in (*INTERVAL, "clusters")},
                "p": estimate["p"] if paired and language == "all" else None,
                "unparsed": None if language in languages else int((own["label"] == "unparsed").sum()),
            }
