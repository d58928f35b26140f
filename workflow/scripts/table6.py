"""Table 6: the pilot's prompt generators, language consistency and unsafe rate."""

from typing import TYPE_CHECKING

from refuseu.analysis import metrics
from refuseu.artifacts import frames, tables
from refuseu.job.start import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    params, given = snakemake.params, snakemake.input
    cells = metrics.pilot(given.prompts, given.labels, params.languages, **params.statistics)
    cells = frames.pilot_cells(cells, params.generators, params.languages, given.published)
    tables.write(
        snakemake.output,
        cells,
        tables.with_published(cells, digits=1),
        rows=["language"],
        columns=["generator", "metric"],
        averages=[*params.languages, "all"],
        title="Pilot: prompts in the asked-for language [%] and unsafe prompts [%] per generator",
        note="Unsafe: by all guards. In brackets arXiv 2606.07535, Table 6, where the first generator is "
        "Mistral-Small-24B-Instruct-2501, the second Llama-3.1-70B, and the judge was not recovered.",
    )
