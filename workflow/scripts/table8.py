"""Table 8: the manual audit per language, beside the published lowest and highest rate."""

from typing import TYPE_CHECKING

import pandas as pd

from refuseu.artifacts import tables
from refuseu.audit import returned
from refuseu.job.start import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    published = pd.read_csv(snakemake.input.published, keep_default_na=False)
    ours = returned.read_results(snakemake.input.audit)
    cells = returned.table_cells(ours, published, snakemake.params.languages)
    tables.write(
        snakemake.output,
        cells,
        returned.cell_texts(cells),
        rows=["language"],
        columns=["metric"],
        averages=[*snakemake.params.languages, "all"],
        title="Manual audit: share of samples [%] that pass",
        note=f"{returned.note(ours)} In brackets arXiv 2606.07535, Appendix C.2 and Table 8: "
        "1,200 samples, 100 per language.",
    )
