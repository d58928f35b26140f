"""The papers' claims as a table: verdicts with the numbers behind them."""

from collections.abc import Iterable, Sequence

import pandas as pd

from refuseu.analysis.claims import Estimate, Tested
from refuseu.artifacts.tables import number
from refuseu.markdown import pipe_table

COLUMNS = ["id", "sentence", "source", "base", "verdict", "evidence", "published_verdict", "published_evidence"]


def as_frame(claims: Iterable[Tested]) -> pd.DataFrame:
    """One row per claim and base, columns `COLUMNS`."""
    rows = [
        [
            *(claim.id, claim.sentence, claim.source, claim.base),
            *(claim.ours.verdict, evidence(claim.ours.estimates)),
            *(claim.published.verdict, evidence(claim.published.estimates)),
        ]
        for claim in claims
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def evidence(estimates: Sequence[Estimate]) -> str:
    """The numbers behind a verdict, in one line."""
    return "; ".join(map(in_words, estimates))


def in_words(estimate: Estimate) -> str:
    """What an estimate is of, its value and its interval."""
    scale, digits = (100, 2) if estimate.unit else (1, 3)
    value, low, high = (number(x, scale, digits) for x in (estimate.value, estimate.low, estimate.high))
    interval = "" if low == high else f" [{low}, {high}]"
    return f"{estimate.of}: {value}{interval}{estimate.unit}" if value else f"{estimate.of}: none"


def markdown(rows: pd.DataFrame) -> str:
    """The verdicts as a pipe table with the sentences above their numbers."""
    cells = [
        [
            f"{row['sentence']} ({row['source']})",
            row["base"],
            f"**{row['verdict']}** {row['evidence']}".strip(),
            f"**{row['published_verdict']}** {row['published_evidence']}".strip(),
        ]
        for row in rows.to_dict("records")
    ]
    return "### Claims\n\n" + pipe_table(["Claim", "Base", "Ours", "Published"], cells, texts=4)
