"""Table 3: Global MMLU accuracy and its change from the abliterated base."""

from typing import TYPE_CHECKING

from refuseu.artifacts import frames, tables
from refuseu.job.start import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    params = snakemake.params
    metrics = frames.read_metrics(*snakemake.input.measures)
    comparisons = frames.read_metrics(*snakemake.input.comparisons)
    published = frames.read_published([snakemake.input.published], params.models)
    cells = frames.knowledge_cells(metrics, comparisons, published, params.models, params.languages)
    tables.by_language(
        snakemake.output,
        cells,
        text=tables.with_change(cells, scale=1, digits=3),
        title="Global MMLU accuracy [change from the abliterated base]",
        note="Changes are paired over the same questions. " + tables.SEEDS + tables.NOT_RECOVERED,
    )
