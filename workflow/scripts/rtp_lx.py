"""ASR on RTP-LX per language and run."""

from typing import TYPE_CHECKING

from refuseu.artifacts import frames, tables
from refuseu.job.start import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    params = snakemake.params
    metrics = frames.read_metrics(*snakemake.input.measures)
    published = frames.read_published([snakemake.input.published], params.models)
    runs = frames.runs(params.models)
    cells = frames.cells(metrics, runs, params.languages, published, metric="asr")
    tables.by_language(snakemake.output, cells, title="ASR [%] on RTP-LX", note=tables.SEEDS + tables.NOT_RECOVERED)
