"""One self-contained page: what was run, claims, and every artifact."""

import json
from pathlib import Path

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.analysis.cells import read_metrics
    from refuseu.artifacts import report
    from refuseu.job.manifest import git_state
    from refuseu.records import write_text

    given, params = snakemake.input, snakemake.params
    page = report.page(
        given.template,
        params.study,
        report.facts(params.languages, params.models, params.setup, given.manifests),
        read_metrics(given.claims),
        report.read_entries(params.entries, given.pages, given.data),
        params.command,
        params.sources,
        report.costs(json.loads(Path(given.spent).read_text(encoding="utf-8"))),
        report.examples(given.answers, given.verdicts, params.models, params.examples),
        report.commit(git_state()),
    )
    write_text(snakemake.output.html, page)
