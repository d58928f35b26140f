"""What the train half shares with the texts that models are tested on."""

from collections.abc import Mapping, Sequence

import pandas as pd

from refuseu.records import Record
from refuseu.similarity import Index, plain

TEST = "Test half"


def leakage_of(
    train: Sequence[Record],
    tested: Mapping[str, Sequence[Record]],
    languages: Sequence[str],
    threshold: float | None,
    shingle: int,
) -> pd.DataFrame:
    """How many tested prompts occur in the train half of their language, per language and in total.

    Parameters
    ----------
    train : pairs; without a `slot` in the released dataset
    tested : `TEST` and benchmarks by name → prompts
    threshold, shingle : what a near duplicate is, see `similarity.Index`

    Returns
    -------
    Rows ``language, benchmark, metric, count, n, value``, metric being exact, near_duplicate (exact ones
    included) or, in the test half, slot. Where a measure does not exist (no slots, no threshold),
    count and value are empty.
    """
    rows = []
    for language in languages:
        own = [pair for pair in train if pair["language"] == language]
        texts = {plain(pair["prompt"]) for pair in own}
        slots = {pair.get("slot", "") for pair in own}
        index = Index(threshold, shingle) if threshold is not None else None
        if index:
            for pair in own:
                index.add(index.sketch(pair["prompt"]))
        for name, records in tested.items():
            asked = [r for r in records if r["language"] == language and r.get("split") != "dev"]
            prompts = [record.get("prompt") or record["question"] for record in asked]
            counts = {
                "exact": sum(plain(prompt) in texts for prompt in prompts),
                "near_duplicate": sum(index.near(index.sketch(prompt)) for prompt in prompts) if index else None,
            }
            if name == TEST:
                known = all(record.get("slot") for record in [*own, *asked])
                counts["slot"] = sum(record["slot"] in slots for record in asked) if known else None
            rows += [[language, name, metric, count, len(asked)] for metric, count in counts.items()]
    frame = pd.DataFrame(rows, columns=["language", "benchmark", "metric", "count", "n"])
    frame = frame.astype({"count": "Int64"})
    total = frame.groupby(["benchmark", "metric"], sort=False).agg(
        count=("count", lambda part: part.sum(min_count=len(part))), n=("n", "sum")
    )
    frame = pd.concat([frame, total.reset_index().assign(language="total")], ignore_index=True)
    return frame.assign(value=frame["count"].astype("Float64") / frame["n"].where(frame["n"] > 0))
