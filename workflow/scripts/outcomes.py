"""Says of every response which language it is in and what kind of answer it is."""

from typing import TYPE_CHECKING

import yaml

from refuseu.language_id import identifier
from refuseu.outcomes import outcome
from refuseu.records import read_jsonl, write_jsonl
from refuseu.script import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    p = snakemake.params
    responses = read_jsonl(snakemake.input.responses)
    with open(snakemake.input.markers, encoding="utf-8") as stream:
        markers = yaml.safe_load(stream)
    found = identifier(p.identification, p.languages, *snakemake.input.identifier).identify(
        [r["response"] for r in responses]
    )
    write_jsonl(
        snakemake.output[0],
        (
            {
                "prompt_id": row["prompt_id"],
                "language": row["language"],
                "detected": code,
                "outcome": outcome(row["response"], row["language"], code, markers, p.repetition),
            }
            for row, code in zip(responses, found, strict=True)
        ),
    )
