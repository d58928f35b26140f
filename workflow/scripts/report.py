"""One self-contained page: what was run, claims, and every artifact."""

from typing import TYPE_CHECKING

from refuseu import artifacts, ledger, report
from refuseu.records import write_text
from refuseu.script import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    given, params = snakemake.input, snakemake.params
    used = ledger.report(params.journals, params.journal_models, ledger.Prices(given.prices))
    page = report.page(
        given.template,
        params.study,
        report.facts(params.languages, params.models, params.setup, given.manifests),
        artifacts.read_metrics(given.claims),
        report.read_artifacts(given.pages, given.captions),
        params.command,
        params.sources,
        report.costs(used),
        report.examples(given.answers, given.verdicts, params.models, params.examples),
    )
    write_text(snakemake.output.html, page)
