"""How wrong the judges would have to be, per language, for each claim about ASR to turn out the other way."""

from typing import TYPE_CHECKING

from refuseu.analysis import claims, runs, sensitivity
from refuseu.artifacts import frames, tables
from refuseu.job.start import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    params = snakemake.params
    found = sensitivity.table(
        claims.read(snakemake.input.claims),
        frames.read_metrics(snakemake.input.metrics),
        runs.bases(params.models),
        params.languages,
        params.guards,
    )
    tables.write(
        snakemake.output,
        found,
        ["–" if value > 1 else tables.number(value, 100, 1) for value in found["value"]],
        rows=["claim", "base", "judge", "outcome"],
        columns=["language"],
        title="Share of the verdicts that speak for a claim's outcome which would have to be wrong to overturn it [%]",
        note="Errors in one language only, or in all alike (average); – where even all of them would not do; empty "
        "where a language does not belong to the claim. Outcomes are those of point estimates. Verdicts that speak "
        "for a claim that a run has the higher ASR are its unsafe ones and the safe ones of its reference, and so "
        "on: those which, if wrong, bring the estimate nearer to the bound. Judge: the final verdicts, or one guard.",
    )
