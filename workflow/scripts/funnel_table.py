"""From generated prompts to train and test, step by step."""

from typing import TYPE_CHECKING

from refuseu.artifacts import frames, tables
from refuseu.job.start import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    cells = frames.funnel_cells(snakemake.input.funnel, snakemake.input.published, snakemake.params.languages)
    tables.write(
        snakemake.output,
        cells,
        tables.with_published(cells, scale=1, digits=0),
        rows=["language"],
        columns=["step"],
        averages=["total"],
        title="Rows left after each step",
        note="The last row is the sum. Left out: pairs of the test's slots that the balanced test does not need. "
        "In brackets arXiv 2606.07535, section 4.2.",
    )
