"""Runs compared with each other on the same prompts: rows of ``comparisons.csv``."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import t

from refuseu.analysis.estimates import RATE, SCORE, by_row, holm, means
from refuseu.analysis.intervals import detectable, difference, quantile
from refuseu.analysis.metrics import ABOUT, ALL_SEEDS, ITEM, LABELS, SCORES, alike
from refuseu.analysis.permutation import sign_flips
from refuseu.analysis.runs import Models, contrasts
from refuseu.analysis.seeds import over_runs_by_scope
from refuseu.languages import Groups

COMPARED = ("asr", "language_consistency", *SCORES, "accuracy")
ESTIMATE = ["value", "ci_low", "ci_high", "n", "clusters", "discordant", "df", "power", "p"]
COLUMNS = [*LABELS, "reference", "benchmark", "language", "metric", *ESTIMATE]


def compare(
    runs: Mapping[str, pd.DataFrame], models: Models, languages: Groups, confidence: float, resamples: int, seed: int
) -> pd.DataFrame:
    """Every aligned run against its references (`refuseu.analysis.runs.contrasts`), prompt by prompt.

    Parameters
    ----------
    runs : model → its items on one benchmark
    models : model → its labels
    languages, confidence, seed : as in `refuseu.analysis.metrics.measure`; the seed draws sign flips

    Returns
    -------
    Differences (run minus reference); as ``power`` the smallest true one that would have been found in four of five
    studies; and the p of a test by sign flips of whole clusters, then p after Holm within base, reference, benchmark
    and measure. Where there are several training seeds also over all of them, with the seed `ALL_SEEDS`; the test is
    then a t test that holds for other seeds, too.
    """
    if not runs:
        return with_holm(pd.DataFrame(columns=[*COLUMNS, "one_of_several"]))
    items = {model: run.set_index(ITEM) for model, run in zip(runs, alike(list(runs.values())), strict=True)}
    by_variant: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
    for run, reference in contrasts({model: models[model] for model in models if model in runs}):
        key = models[run]["base"], models[run]["variant"], models[reference]["variant"]
        by_variant.setdefault(key, []).append((run, reference))
    rows = []
    for (*_, reference), pairs in by_variant.items():
        each = [paired(items[run], items[other]) for run, other in pairs]
        labels = [{**models[run], "reference": reference, "one_of_several": len(pairs) > 1} for run, _ in pairs]
        whole = {**labels[0], "model": "", "seed": ALL_SEEDS, "one_of_several": False}
        groups = [(label, [one]) for label, one in zip(labels, each, strict=True)]
        for label, samples in [*groups, *([(whole, each)] if len(pairs) > 1 else [])]:
            rows += [{**label, **row} for row in compared(samples, languages, confidence, seed)]
    return with_holm(pd.DataFrame(rows, columns=[*COLUMNS, "one_of_several"]))


def with_holm(frame: pd.DataFrame) -> pd.DataFrame:
    """With `p_holm`; the runs of several seeds are a family apart from what they are together."""
    frame = frame.astype({"p": float})
    family = frame.groupby(["base", "reference", "benchmark", "metric", "one_of_several"], sort=False)["p"]
    return frame.assign(p_holm=family.transform(holm)).drop(columns="one_of_several")


def paired(run: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Items of a run with its measures less those of a reference, both indexed by `ITEM`; NaN where one has none."""
    measures = [metric for metric in COMPARED if metric in run and metric in reference]
    apart = run[measures] - reference[measures]
    return apart.join(run[ABOUT]).reset_index()


def compared(
    samples: Sequence[pd.DataFrame], languages: Groups, confidence: float, seed: int
) -> Iterator[dict[str, object]]:
    """Rows without labels: mean differences over runs that differ in their seed alone."""
    for metric in COMPARED:
        if any(metric not in sample for sample in samples):
            continue
        span = float(np.ptp(SCORE if metric in SCORES else RATE))
        for scope, row in difference_rows(samples, metric, languages, span, confidence, seed).items():
            yield {"benchmark": samples[0]["benchmark"].iloc[0], "metric": metric, "language": scope, **row}


def difference_rows(
    samples: Sequence[pd.DataFrame], metric: str, languages: Groups, span: float, confidence: float, seed: int
) -> dict[str, dict[str, float]]:
    """Scope (see `refuseu.analysis.estimates.estimates`) → the mean of paired differences as columns `ESTIMATE`.

    Parameters
    ----------
    samples : differences of each run, with columns language, cluster and `metric`; NaN where one is not known
    span : largest difference that there can be
    """
    sizes = [sample.assign(**{metric: sample[metric].abs()}) for sample in samples]
    scopes, found = over_runs_by_scope([means(sample, metric, languages) for sample in samples])
    _, moved = over_runs_by_scope([means(sample, metric, languages) for sample in sizes])
    low, high, df = difference(found, moved.value, span, confidence)
    if found.runs == 1:
        p = sign_flips(found.sums, seed)
    else:
        error = (high - low) / 2 / quantile(confidence, df)
        p = 2 * t.sf(np.abs(found.value) / error, df)
    columns = {
        "value": found.value, "ci_low": low, "ci_high": high, "n": found.n, "clusters": found.clusters,
        "discordant": (moved.sums > 0).sum(-1), "df": df, "power": detectable(low, high, df, confidence), "p": p,
    }  # fmt: skip
    return dict(zip(scopes, by_row(columns), strict=True))
