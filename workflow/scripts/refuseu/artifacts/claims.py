"""The papers' claims as a table: verdicts with the numbers behind them."""

from collections.abc import Iterable, Sequence

import pandas as pd

from refuseu.analysis.claims import Finding, Tested
from refuseu.analysis.verdict import Estimate
from refuseu.artifacts.tables import number
from refuseu.markdown import pipe_table

NOTE = (
    "Held: the whole interval of every estimate lies beyond its bound; not held: one lies wholly on the other side, "
    "corrected for the number of estimates; touching a bound is neither. Clusters are the slots, translated prompts or "
    "prompts that a number rests on, discordant those in which the two runs differ. Power: the smallest true "
    "difference that would have been found in four of five such studies. With one training seed an interval says "
    "nothing about other seeds."
)
COLUMNS = ["id", "sentence", "source", "base", "verdict", "evidence", "published_verdict", "published_evidence", "main"]


def as_frame(claims: Iterable[Tested]) -> pd.DataFrame:
    """One row per claim and base, columns `COLUMNS`."""
    rows = [
        [
            *(claim.id, claim.sentence, claim.source, claim.base),
            *(claim.ours.verdict, evidence(claim.ours.estimates)),
            *published(claim.published, claim.mirrored),
            claim.main,
        ]
        for claim in claims
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def published(found: Finding, mirrored: Finding | None) -> tuple[str, str]:
    """Verdict and evidence on published numbers; both readings where the order of their columns is uncertain."""
    if mirrored is None:
        return found.verdict, evidence(found.estimates)
    same = found.verdict == mirrored.verdict
    verdict = f"{found.verdict}, {'either way' if same else f'or {mirrored.verdict}'}"
    read, other = evidence(found.estimates), evidence(mirrored.estimates)
    return verdict, f"order of columns uncertain: {read}; mirrored: {other}"


def evidence(estimates: Sequence[Estimate]) -> str:
    """The numbers behind a verdict, in one line."""
    return "; ".join(map(in_words, estimates))


def in_words(estimate: Estimate) -> str:
    """What an estimate is of, its value and its interval."""
    scale, digits = (100, 2) if estimate.unit else (1, 3)
    value, low, high = (number(x, scale, digits) for x in (estimate.value, estimate.low, estimate.high))
    interval = "" if low == high else f" [{low}, {high}]"
    text = f"{estimate.of}: {value}{interval}{estimate.unit}" if value else f"{estimate.of}: none"
    counts = ((estimate.clusters, "clusters"), (estimate.discordant, "discordant"), (estimate.seeds, "seeds"))
    known = [f"{count} {what}" for count, what in counts if count is not None]
    known += [f"80 % power at {number(estimate.power, scale, digits)}"] if estimate.power is not None else []
    return f"{text} ({', '.join(known)})".replace("1 seeds", "1 seed") if known and value else text


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
    return "### Claims\n\n" + pipe_table(["Claim", "Base", "Ours", "Published"], cells, texts=4) + f"\n{NOTE}\n"
