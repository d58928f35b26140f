"""How often each of the miniature's judges is right on held-out texts."""

from typing import TYPE_CHECKING

from refuseu.artifacts import frames, tables
from refuseu.job.start import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    params = snakemake.params
    cells = frames.judge_cells(snakemake.input.accuracy, params.languages, params.confidence)
    tables.write(
        snakemake.output,
        cells,
        tables.with_published(cells, digits=1),
        rows=["judge", "task"],
        columns=["language"],
        title="Judges: held-out accuracy [%], and the guards' kappa [%]",
        note="Texts that no judge was trained on and whose labels are known by construction. Fluency and "
        "correctness count as right within one point. The paper has no such table.",
    )
