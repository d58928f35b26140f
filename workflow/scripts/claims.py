"""The papers' findings as tests on our numbers and on the published ones."""

from pathlib import Path

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.analysis import claims, linguistic_distance, metrics
    from refuseu.artifacts import frames, report
    from refuseu.records import write_text

    given, params = snakemake.input, snakemake.params
    rows = claims.verdicts(
        claims.read(given.claims),
        frames.read_metrics(given.metrics),
        frames.read_metrics(given.comparisons),
        frames.read_published(given.published, params.models),
        params.models,
        params.languages,
        params.trained_on,
        linguistic_distance.read(given.distances),
        params.statistics,
    )
    metrics.write_csv(snakemake.output.csv, rows)
    write_text(snakemake.output.md, claims.markdown(rows))
    page = report.page(given.template, Path(snakemake.output.html).parent.name, [], rows, [], "")
    write_text(snakemake.output.html, page)
