"""Table 8: the manual audit, published results beside our still empty ones."""

from typing import TYPE_CHECKING

import pandas as pd

from refuseu import tables
from refuseu.script import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    published = pd.read_csv(snakemake.input.published, keep_default_na=False)
    cells = published[["metric", "language", "value", "source", "note"]].rename(columns={"value": "published"})
    cells = cells.assign(value=float("nan"), spread=float("nan"), published=cells["published"] / 100)
    tables.write(
        snakemake.output,
        cells,
        tables.with_published(cells, digits=0),
        rows=["metric"],
        columns=["language"],
        title="Manual audit: share of samples [%] that pass, lowest and highest language",
        note="No annotation sheets have been returned for this study, so our cells are empty (–). In "
        "brackets arXiv 2606.07535, Appendix C.2 and Table 8: 1,200 samples, 100 per language.",
    )
