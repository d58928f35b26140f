"""How far the prompt judges agree: the numbers behind figure 2."""

from typing import TYPE_CHECKING

from refuseu.artifacts import frames, tables
from refuseu.evaluation.guards import coverage
from refuseu.job.start import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    cells = frames.agreement_cells(snakemake.input.agreement)
    tables.write(
        snakemake.output,
        cells,
        tables.with_interval(cells),
        rows=["language"],
        columns=["judges", "metric"],
        title="Agreement of the prompt judges [interval]",
        note="On all generated prompts. Kappa falls where nearly every prompt is unsafe, however often two judges "
        "say the same; Gwet's AC1 does not. n is the number of prompts. "
        f"{coverage(snakemake.params.judges)}The published figure has no table.",
    )
