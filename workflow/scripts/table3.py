"""Table 3: Global MMLU accuracy and its change from the abliterated base."""

from typing import TYPE_CHECKING

from refuseu import artifacts, tables
from refuseu.script import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    params = snakemake.params
    metrics = artifacts.read_metrics(snakemake.input.metrics)
    comparisons = artifacts.read_metrics(snakemake.input.comparisons)
    runs = artifacts.runs(params.models, artifacts.in_tables)
    cells = artifacts.cells(metrics, runs, params.languages, metric="accuracy")
    change = artifacts.cells(comparisons, runs, params.languages, metric="accuracy", reference="abliterated")
    cells = cells.assign(**change[["value", "ci_low", "ci_high"]].add_prefix("change_"))
    tables.by_language(
        snakemake.output,
        cells,
        text=tables.with_change(cells, scale=1, digits=3),
        title="Global MMLU accuracy [change from the abliterated base]",
        note="Changes are paired over the same questions. " + tables.SEEDS + tables.NOT_RECOVERED,
    )
