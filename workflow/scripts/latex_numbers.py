"""LaTeX macros for the numbers that tables and figures show."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.analysis.cells import read_metrics
    from refuseu.analysis.published import read_published
    from refuseu.artifacts import latex_macros
    from refuseu.records import write_text

    given, models, languages = snakemake.input, snakemake.params.models, snakemake.params.languages
    metrics, comparisons = (read_metrics(path) for path in (given.metrics, given.comparisons))
    published = read_published(given.published, models)
    dataset = map(latex_macros.read_rows, (given.agreement, given.pilot, given.funnel))
    found = [
        *latex_macros.of_study(models, languages),
        *latex_macros.of_runs(metrics, comparisons, published, models, languages),
        *latex_macros.of_tables(*dataset),
    ]
    write_text(snakemake.output.tex, latex_macros.latex(found))
