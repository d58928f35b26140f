"""Published numbers: read as ours, and set beside them."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from refuseu.analysis.runs import Models, bases

PUBLISHED_BASES = ("8b", "70b")
ORDER_UNCERTAIN = "order uncertain"
MIRROR = {
    "balanced": "no_english",
    "high_resource": "english_only",
    "english_only": "high_resource",
    "no_english": "balanced",
}


def published_names(ours: Sequence[str]) -> dict[str, str]:
    """The paper's name of a base → ours: the base of that name, or else our first and second."""
    by_place = dict(enumerate(ours))
    return {
        theirs: theirs if theirs in ours else by_place[place]
        for place, theirs in enumerate(PUBLISHED_BASES)
        if theirs in ours or by_place.get(place, theirs) not in PUBLISHED_BASES
    }


def read_published(paths: Iterable[str | Path], models: Models) -> pd.DataFrame:
    """Published numbers as rows like those of ``metrics.csv``, percent as fractions.

    The paper's bases are called ``8b`` and ``70b``: they stand for this study's bases of that name, or
    else for its first and second.
    """
    frame = pd.concat([pd.read_csv(path, dtype=str, keep_default_na=False) for path in paths], ignore_index=True)
    value = pd.to_numeric(frame["value"]) / frame["unit"].map({"percent": 100}).fillna(1)
    names = published_names(bases(models))
    return frame.assign(value=value, base=frame["base"].map(lambda base: names.get(base, base)))


def mirrored(published: pd.DataFrame) -> pd.DataFrame:
    """The other reading of numbers whose column is uncertain: the four aligned runs in the opposite order."""
    uncertain = published["certainty"] == ORDER_UNCERTAIN
    return published.assign(variant=published["variant"].mask(uncertain, published["variant"].replace(MIRROR)))


def beside_published(frame: pd.DataFrame) -> pd.DataFrame:
    """Difference (value minus published) and whether the published value lies in the interval, where both exist."""
    inside = frame["published"].between(frame["ci_low"], frame["ci_high"]).astype("boolean")
    known = frame[["published", "value", "ci_low", "ci_high"]].notna().all(axis=1)
    return frame.assign(difference=frame["value"] - frame["published"], published_inside=inside.where(known))
