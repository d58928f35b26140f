"""One self-contained page: what was run, claims, and every artifact."""

from typing import TYPE_CHECKING

from refuseu import artifacts, report
from refuseu.records import write_text
from refuseu.script import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    given, params = snakemake.input, snakemake.params
    page = report.page(
        given.template,
        params.study,
        report.facts(params.languages, params.models, params.setup),
        artifacts.read_metrics(given.claims),
        report.read_artifacts(given.tables, given.figures, given.captions),
        params.command,
    )
    write_text(snakemake.output.html, page)
