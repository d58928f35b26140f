"""The papers' findings as tests on our numbers and on the published ones."""

from pathlib import Path

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.analysis import claims, linguistic_distance, metrics
    from refuseu.analysis.cells import read_metrics
    from refuseu.analysis.published import read_published
    from refuseu.artifacts import claims as texts
    from refuseu.artifacts import report
    from refuseu.artifacts.names import variant
    from refuseu.records import write_text

    given, params = snakemake.input, snakemake.params
    tested = claims.verdicts(
        claims.read(given.claims),
        read_metrics(given.metrics),
        read_metrics(given.comparisons),
        read_published(given.published, params.models),
        params.models,
        params.languages,
        params.trained_on,
        linguistic_distance.read(given.distances),
        params.statistics,
        called=variant,
    )
    rows = texts.as_frame(tested)
    metrics.write_csv(snakemake.output.csv, rows)
    write_text(snakemake.output.md, texts.markdown(rows))
    page = report.page(given.template, Path(snakemake.output.html).parent.name, [], rows, [], "")
    write_text(snakemake.output.html, page)
