"""How far judges agree on the same prompts, with intervals over the prompts' slots."""

import itertools
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import t

from refuseu.analysis.dependence import request_slots
from refuseu.analysis.estimates import cohen_kappa, gwet_ac1, observed, scopes
from refuseu.analysis.metrics import DECIDED
from refuseu.languages import Groups
from refuseu.records import read_jsonl

COLUMNS = ["judge_a", "judge_b", "language", "metric", "value", "ci_low", "ci_high", "n", "clusters", "unparsed"]


def read_labels(paths: Iterable[str | Path]) -> dict[str, pd.DataFrame]:
    """Judge → its labels of generated prompts with the slots of these; a file's stem is its judge."""
    found = {Path(path).stem: read_jsonl(path) for path in paths}
    columns = ["prompt_id", "language", "label"]
    return {judge: pd.DataFrame(rows)[columns].assign(cluster=request_slots(rows)) for judge, rows in found.items()}


def agreement(
    labels: Mapping[str, pd.DataFrame], languages: Groups, confidence: float, resamples: int, seed: int
) -> pd.DataFrame:
    """Agreement of each two judges per language: raw, Cohen's kappa and Gwet's AC1.

    Parameters
    ----------
    labels : judge → frame with prompt_id, language, cluster and label (safe, unsafe or unparsed)

    Returns
    -------
    Rows with the columns `COLUMNS`; prompts with an unparsed label are left out and counted. Without a value where no
    prompt is left.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for a, b in itertools.combinations(labels, 2):
        other = labels[b].drop(columns="cluster")
        both = labels[a].merge(other, on=["prompt_id", "language"], suffixes=("_a", "_b"), validate="one_to_one")
        for language in scopes(languages)["all"]:
            part = both[both["language"] == language]
            parsed = part[part["label_a"].isin(DECIDED) & part["label_b"].isin(DECIDED)]
            if part.empty:
                continue
            counts = by_cluster(parsed["cluster"], *(parsed[side] == "unsafe" for side in ("label_a", "label_b")))
            key = {"judge_a": a, "judge_b": b, "language": language}
            about = {"n": len(parsed), "clusters": len(counts), "unparsed": len(part) - len(parsed)}
            drawn = None if parsed.empty else resampled(counts, resamples, rng)
            for metric, statistic in (("kappa", cohen_kappa), ("ac1", gwet_ac1), ("agreement", observed)):
                value, low, high = (float("nan"),) * 3
                if drawn is not None:
                    value = float(statistic(counts.sum(0)))
                    low, high = widened(value, statistic(drawn), len(counts), confidence)
                rows.append({**key, "metric": metric, "value": value, "ci_low": low, "ci_high": high, **about})
    return pd.DataFrame(rows, columns=COLUMNS)


def by_cluster(clusters: pd.Series, a: pd.Series, b: pd.Series) -> np.ndarray:
    """How often a said i (0 or 1) where b said j, per cluster, shape (clusters, 2, 2)."""
    places, names = pd.factorize(clusters)
    return np.bincount(places * 4 + a * 2 + b, minlength=4 * len(names)).reshape(-1, 2, 2)


def resampled(counts: np.ndarray, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Counts of samples of as many clusters, drawn with replacement, shape (resamples, 2, 2)."""
    kinds, places = np.unique(counts.reshape(len(counts), 4), axis=0, return_inverse=True)
    drawn = rng.multinomial(len(counts), np.bincount(places.ravel()) / len(counts), size=resamples)
    return np.asarray((drawn @ kinds).reshape(-1, 2, 2))


def widened(value: float, replicates: np.ndarray, clusters: int, confidence: float) -> tuple[float, float]:
    """Percentile interval of a cluster bootstrap, wider by what few clusters take from its variance and its tails.

    By the root of G/(G - 1), and by the t over the normal quantile with G - 1 degrees of freedom (Cameron and Miller
    2015, A practitioner's guide to cluster-robust inference). Undefined replicates are left out.
    """
    if clusters < 2 or np.isnan(replicates).all():
        return np.nan, np.nan
    low, high = np.nanquantile(replicates, [(1 - confidence) / 2, (1 + confidence) / 2])
    tail = (1 + confidence) / 2
    factor = np.sqrt(clusters / (clusters - 1)) * t.ppf(tail, clusters - 1) / t.ppf(tail, np.inf)
    return float(max(value - factor * (value - low), -1)), float(min(value + factor * (high - value), 1))
