"""The published numbers beside ours: how many were recovered, and how many lie in our intervals."""

from typing import TYPE_CHECKING

from refuseu.analysis.metrics import write_csv
from refuseu.artifacts import frames, tables
from refuseu.job.start import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    given = snakemake.input
    published = frames.read_published(given.published, snakemake.params.models)
    cells = frames.published_cells(frames.read_metrics(given.metrics), published)
    write_csv(snakemake.output.frame, cells)
    summary = frames.published_summary(cells)
    digits = summary["metric"].eq("median_distance").astype(int)
    text = [tables.number(value, digits=places) for value, places in zip(summary["value"], digits, strict=True)]
    tables.write(
        snakemake.output,
        summary,
        text,
        rows=["benchmark", "base", "variant"],
        columns=["metric"],
        title="Published numbers beside ours",
        note="Recovered: published numbers known to us. Measured: those of them that this study has, too. Inside: "
        "published value in our interval. Median distance in points. All numbers are in "
        "published_table/published_table.csv.",
    )
