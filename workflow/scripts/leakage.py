"""What the train half shares with the test half and with every benchmark."""

from pathlib import Path
from typing import TYPE_CHECKING

from refuseu.artifacts import tables
from refuseu.dataset.leakage import TEST, leakage, text
from refuseu.job.start import script
from refuseu.records import read_jsonl

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    i, p = snakemake.input, snakemake.params
    tested = {TEST: read_jsonl(i.test)} | {Path(path).stem: read_jsonl(path) for path in i.benchmarks}
    cells = leakage(read_jsonl(i.train), tested, p.languages, **p.near_duplicates)
    near = "Near duplicate: exact, or Jaccard similarity of runs of {shingle} characters at least {threshold}"
    none = "Near duplicates were not looked for (dataset.near_duplicates.threshold is null)"
    unknown = cells.loc[cells["metric"] == "slot", "value"].isna().all()
    tables.write(
        snakemake.output,
        cells,
        text(cells),
        rows=["language"],
        columns=["benchmark", "metric"],
        averages=["total"],
        title="Prompts of the test half and of the benchmarks that occur in the train half: number/prompts (share [%])",
        note="Within each language. Exact: equal but for case and blanks. "
        + (none if p.near_duplicates["threshold"] is None else near.format(**p.near_duplicates))
        + ". Slot: the style and category (and activity, where the split goes by it) of the prompt. "
        + ("The released test prompts carry no slot, so that column is empty. " if unknown else "")
        + "Empty: the benchmark has no prompts in the language. A share of known texts: no interval.",
    )
