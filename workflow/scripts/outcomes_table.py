"""What the answers are besides safe or unsafe, one row per model."""

from typing import TYPE_CHECKING

from refuseu.artifacts import frames, tables
from refuseu.job.start import script

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    metrics = frames.read_metrics(*snakemake.input.measures)
    others = frames.read_metrics(*snakemake.input.others)
    cells = frames.profile(metrics, others, snakemake.params.models, tables.OUTCOMES)
    tables.write(
        snakemake.output,
        cells,
        tables.with_published(cells, digits=1),
        rows=["base", "variant"],
        columns=["metric"],
        title="Outcomes of the answers [%], mean over all languages",
        note="RefusEU-test; over-refusal on benign questions; fluency rated is the share of answers to the fluency "
        "prompts with both ratings. An empty or broken answer counts as safe in "
        "the ASR: 'refusals among safe' is the share of safe answers that refuse. " + tables.SEEDS,
    )
