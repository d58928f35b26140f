"""Table 8: the manual audit per language, beside the published lowest and highest rate."""

from typing import TYPE_CHECKING

import pandas as pd

from refuseu import audit, tables
from refuseu.script import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    published = pd.read_csv(snakemake.input.published, keep_default_na=False)
    ours = audit.read_results(snakemake.input.audit)
    cells = audit.table_cells(ours, published, snakemake.params.languages)
    tables.write(
        snakemake.output,
        cells,
        audit.cell_texts(cells),
        rows=["language"],
        columns=["metric"],
        averages=[*snakemake.params.languages, "all"],
        title="Manual audit: share of samples [%] that pass",
        note=f"{audit.note(ours)} In brackets arXiv 2606.07535, Appendix C.2 and Table 8: "
        "1,200 samples, 100 per language.",
    )
