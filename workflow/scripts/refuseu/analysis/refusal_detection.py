"""How well the refusal markers find refusals, on preference pairs: text whose label is known by how it was made."""

import itertools
from collections.abc import Mapping, Sequence

import pandas as pd

from refuseu.analysis.dependence import clusters
from refuseu.analysis.estimates import INTERVAL, RATE, estimates, scopes
from refuseu.languages import Groups
from refuseu.records import Record
from refuseu.refusals import Languages, is_refusal

MEASURES = {"refusals_found": "chosen", "false_refusals": "rejected"}


def detection(pairs: Sequence[Record], markers: Languages, languages: Groups, confidence: float) -> pd.DataFrame:
    """Share of chosen answers (refusals) and of rejected ones (none) in which a marker is found.

    Parameters
    ----------
    pairs : preference pairs
    markers : what marks a refusal, by language

    Returns
    -------
    Rows ``language, metric, value, ci_low, ci_high, n``, with intervals over the slots of the pairs where these say
    theirs; languages, then the means of groups and ``all``.
    """
    found = {
        metric: [float(is_refusal(last(pair[side]), markers.get(pair["language"]))) for pair in pairs]
        for metric, side in MEASURES.items()
    }
    groups = clusters([{**pair, "prompt_id": place} for place, pair in enumerate(pairs)], "", parallel=False)
    sample = pd.DataFrame({"language": [pair["language"] for pair in pairs], "cluster": groups, **found})
    rows = [
        {"language": scope, "metric": metric} | row
        for metric in MEASURES
        for scope, row in estimates(sample, metric, languages, RATE, confidence)
    ]
    keys = ["language", "metric"]
    grid = pd.DataFrame(itertools.product(scopes(languages), MEASURES), columns=keys)
    frame = grid.merge(pd.DataFrame(rows, columns=[*keys, *INTERVAL]), how="left", on=keys)
    return frame.assign(n=frame["n"].fillna(0).astype(int), spread=float("nan"))


def last(turns: Sequence[Mapping[str, str]] | str) -> str:
    """The answer in a conversation."""
    return turns if isinstance(turns, str) else turns[-1]["content"]
