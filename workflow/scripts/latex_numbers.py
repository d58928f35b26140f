"""LaTeX macros for the numbers that tables and figures show."""

from typing import TYPE_CHECKING

from refuseu import artifacts, numbers
from refuseu.records import write_text
from refuseu.script import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    given, models, languages = snakemake.input, snakemake.params.models, snakemake.params.languages
    metrics, comparisons = (artifacts.read_metrics(path) for path in (given.metrics, given.comparisons))
    published = artifacts.read_published(given.published, models)
    dataset = map(numbers.read_rows, (given.agreement, given.pilot, given.funnel))
    found = [
        *numbers.of_study(models, languages),
        *numbers.of_runs(metrics, comparisons, published, models, languages),
        *numbers.of_tables(*dataset),
    ]
    write_text(snakemake.output.tex, numbers.latex(found))
