"""Which languages the identifier takes for each other, on prompts, whose language is known, and on answers."""

from collections.abc import Iterable, Mapping

import pandas as pd

from refuseu.languages import Groups, members

OTHER, NONE = "other", "none"


def confusion(texts: Mapping[str, Iterable[tuple[str, str]]]) -> pd.DataFrame:
    """Counts per panel, language and detected language.

    Parameters
    ----------
    texts : panel → (language of the prompt, detected code; empty where there is none)

    Returns
    -------
    Rows ``panel, language, detected, count, n``, n being the texts of the language in the panel.
    """
    rows = [(panel, *codes) for panel, found in texts.items() for codes in found]
    frame = pd.DataFrame(rows, columns=["panel", "language", "detected"])
    counts = frame.groupby([*frame], sort=False).size().rename("count").reset_index()
    return counts.assign(n=counts.groupby(["panel", "language"])["count"].transform("sum"))


def cells(counts: pd.DataFrame, groups: Groups, neighbours: Iterable[str]) -> pd.DataFrame:
    """The heatmap's cells: languages down, detected ones across, then neighbours, others and none.

    Returns
    -------
    Columns ``panel, base, variant, group, language, value, n``: variant is the language of the prompt,
    language the detected one, value its share, empty where it is 0.
    """
    codes = members(groups)
    columns = [(group, code) for group, own in groups.items() for code in own]
    columns += [("elsewhere", code) for code in [*(x for x in neighbours if x not in codes), OTHER, NONE]]
    known = [code for _, code in columns]
    detected = counts["detected"].replace("", NONE)
    counts = counts.assign(detected=detected.where(detected.isin(known), OTHER))
    counts = counts.groupby(["panel", "language", "detected"], sort=False).agg(count=("count", "sum"), n=("n", "first"))
    grid = [(panel, row, group, code) for panel in dict.fromkeys(counts.index.get_level_values(0))
            for row in codes for group, code in columns]  # fmt: skip
    frame = pd.DataFrame(grid, columns=["panel", "variant", "group", "language"])
    frame = frame.merge(
        counts.reset_index().rename(columns={"language": "variant", "detected": "language"}), how="left"
    )
    frame = frame.assign(base="", value=frame["count"] / frame["n"])
    return frame[["panel", "base", "variant", "group", "language", "value", "count", "n"]]
