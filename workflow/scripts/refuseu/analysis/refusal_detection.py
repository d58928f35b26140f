"""How well the refusal markers find refusals, on preference pairs: text whose label is known by how it was made."""

from collections.abc import Mapping, Sequence

import pandas as pd

from refuseu.analysis.estimates import INTERVAL, scopes, wilson_interval
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
    Rows ``language, group, metric, value, ci_low, ci_high, n`` with Wilson intervals per language; a group
    and ``all`` are means over languages without interval.
    """
    rows = []
    for code in scopes(languages)["all"]:
        own = [pair for pair in pairs if pair["language"] == code]
        for metric, side in MEASURES.items():
            found = sum(is_refusal(last(pair[side]), markers.get(code)) for pair in own)
            low, high = wilson_interval(found, len(own), confidence) if own else (None, None)
            rows.append([code, metric, found / len(own) if own else None, low, high, len(own)])
    frame = pd.DataFrame(rows, columns=["language", "metric", *INTERVAL])
    for name, codes in scopes(languages).items():
        if name not in codes:
            means = (
                frame[frame["language"].isin(codes)]
                .groupby("metric", sort=False)
                .agg(value=("value", "mean"), n=("n", "sum"))
            )
            frame = pd.concat([frame, means.reset_index().assign(language=name)], ignore_index=True)
    return frame.assign(spread=float("nan"))


def last(turns: Sequence[Mapping[str, str]] | str) -> str:
    """The answer in a conversation."""
    return turns if isinstance(turns, str) else turns[-1]["content"]
