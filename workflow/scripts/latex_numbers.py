"""LaTeX macros for the numbers that tables and figures show."""

from typing import TYPE_CHECKING

from refuseu.artifacts import frames, latex_macros
from refuseu.job.start import script
from refuseu.records import write_text

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    given, models, languages = snakemake.input, snakemake.params.models, snakemake.params.languages
    metrics, comparisons = (frames.read_metrics(path) for path in (given.metrics, given.comparisons))
    published = frames.read_published(given.published, models)
    dataset = map(latex_macros.read_rows, (given.agreement, given.pilot, given.funnel))
    found = [
        *latex_macros.of_study(models, languages),
        *latex_macros.of_runs(metrics, comparisons, published, models, languages),
        *latex_macros.of_tables(*dataset),
    ]
    write_text(snakemake.output.tex, latex_macros.latex(found))
