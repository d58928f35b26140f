"""How well the refusal markers find refusals: their share of chosen and of rejected answers."""

from typing import TYPE_CHECKING

import yaml

from refuseu.analysis.refusal_detection import detection
from refuseu.artifacts import tables
from refuseu.job.start import script
from refuseu.records import read_jsonl

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    params = snakemake.params
    with open(snakemake.input.markers, encoding="utf-8") as stream:
        markers = yaml.safe_load(stream)
    cells = detection(read_jsonl(snakemake.input.pairs), markers, params.languages, params.confidence)
    tables.write(
        snakemake.output,
        cells,
        tables.with_published(cells, digits=1),
        rows=["language"],
        columns=["metric"],
        averages=["all", *params.languages],
        title="Answers of the training pairs in which a refusal is found [%]",
        note="Chosen answers refuse and rejected ones comply, as far as the guards could tell; nobody read them. "
        "Phrases in the first two sentences decide. Intervals and n are in the CSV. The paper has no such table.",
    )
