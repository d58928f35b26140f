"""Downloads one pinned asset from the hub into its cache and notes where it is."""

from typing import TYPE_CHECKING

from refuseu.assets import fetch
from refuseu.job.start import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    fetch(snakemake.params.kind, snakemake.params.asset, snakemake.output[0])
