"""How much of language consistency is the identifier: the same texts, named by several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from refuseu.analysis.cells import scope_order
from refuseu.analysis.estimates import scopes
from refuseu.languages import Groups

if TYPE_CHECKING:  # no identifier is needed to draw what they found
    from refuseu.language_id import Identifier

KEYS = ["texts", "identifier", "language"]


def identified(texts: Mapping[str, Sequence[tuple[str, str]]], identifiers: Mapping[str, Identifier]) -> pd.DataFrame:
    """How many texts each identifier finds in their language.

    Parameters
    ----------
    texts : kind of texts → (language, text)

    Returns
    -------
    Rows ``texts, identifier, language, count, n``, n being the texts of the language.
    """
    rows = []
    for kind, known in texts.items():
        for name, identifier in identifiers.items():
            found = identifier.identify([text for _, text in known])
            rows += [(kind, name, code, code == said) for (code, _), said in zip(known, found, strict=True)]
    frame = pd.DataFrame(rows, columns=[*KEYS, "right"])
    return frame.groupby(KEYS, sort=False)["right"].agg(count="sum", n="size").reset_index()


def cells(counts: pd.DataFrame, groups: Groups) -> pd.DataFrame:
    """Shares per language and, as means over the languages that have texts, per group and over all.

    Returns
    -------
    Columns ``texts, identifier, language, value, count, n``, in table order; empty where there are no texts.
    """
    counts = counts.assign(value=counts["count"] / counts["n"])
    averages = [
        counts[counts["language"].isin(codes)]
        .groupby(KEYS[:2], sort=False)
        .agg(value=("value", "mean"), count=("count", "sum"), n=("n", "sum"))
        .reset_index()
        .assign(language=scope)
        for scope, codes in scopes(groups).items()
        if scope not in codes
    ]
    columns = counts[KEYS[:2]].drop_duplicates()
    grid = pd.DataFrame({"language": [scope for _, scope in scope_order(groups)]}).merge(columns, how="cross")
    frame = grid.merge(pd.concat([counts, *averages]), how="left", on=KEYS)
    return frame[[*KEYS, "value", "count", "n"]]
