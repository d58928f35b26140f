"""One self-contained page: what was run, claims, and every artifact."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.analysis.cells import read_metrics
    from refuseu.artifacts import report
    from refuseu.costs import spending
    from refuseu.records import write_text

    given, params = snakemake.input, snakemake.params
    used = spending.report(params.journals, params.journal_models, spending.Prices(given.prices))
    page = report.page(
        given.template,
        params.study,
        report.facts(params.languages, params.models, params.setup, given.manifests),
        read_metrics(given.claims),
        report.read_entries(params.entries, given.pages, given.data),
        params.command,
        params.sources,
        report.costs(used),
        report.examples(given.answers, given.verdicts, params.models, params.examples),
    )
    write_text(snakemake.output.html, page)
