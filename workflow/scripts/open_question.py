"""English-only alignment with the consistency loss against balanced alignment: what each reaches and costs."""

from typing import TYPE_CHECKING

from refuseu.analysis import open_question
from refuseu.artifacts import frames, tables
from refuseu.job.start import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    given, params = snakemake.input, snakemake.params
    rows = open_question.rows(
        frames.read_metrics(*given.measures),
        open_question.read_costs(given.manifests, given.pairs, params.models, params.translated),
        frames.runs(params.models),
        params.kinds,
    )
    tables.write(
        snakemake.output,
        rows,
        open_question.texts(rows),
        rows=["base", "variant"],
        columns=["metric"],
        title="Does English-only alignment with translated prompts reach balanced alignment?",
        note=open_question.NOTE + tables.SEEDS,
    )
