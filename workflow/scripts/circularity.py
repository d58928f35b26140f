"""ASR by the judges that built the data beside ASR by judges that had no part in it."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from refuseu.analysis.circularity import circularity, page, text
from refuseu.analysis.metrics import write_csv
from refuseu.artifacts import tables
from refuseu.evaluation.guards import coverage
from refuseu.job.start import script
from refuseu.records import read_jsonl

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    i, p = snakemake.input, snakemake.params
    verdicts = {
        Path(f).parent.name: pd.DataFrame(read_jsonl(f))[["prompt_id", "language", "verdict"]] for f in i.answers
    }
    labels = {Path(f).parts[-3:-1]: pd.DataFrame(read_jsonl(f))[["prompt_id", "language", "label"]] for f in i.labels}
    frame = circularity(verdicts, labels, p.judges, p.models, p.languages, **p.statistics)
    write_csv(snakemake.output.frame, frame)
    cells = page(frame, p.models)
    tables.write(
        snakemake.output,
        cells,
        text(cells),
        rows=["base", "variant"],
        columns=["judge", "metric"],
        title="ASR [%] on RefusEU-test by the judges that built the data and by held-out ones, mean over languages",
        note="Difference: held-out minus ours in points, paired by answer, with interval; the last over the languages "
        f"that the judge was made for. {coverage(p.judges)}"
        "Runs with several seeds: means. Values per seed and language, p and unparsed labels are in "
        "circularity/circularity.csv. The paper has no such table.",
    )
