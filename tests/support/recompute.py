"""Recomputes the CSV files of tables and figures from metrics.csv and comparisons.csv, with nothing of refuseu.

python tests/support/recompute.py results/miniature
"""

import csv
import math
import statistics
import sys
from pathlib import Path

METRICS, COMPARISONS = "metrics/metrics.csv", "comparisons/comparisons.csv"
HARMFUL = {
    "tables/table1_asr_refuseu_test": "refuseu_test",
    "tables/table2_transfer_matrix": "refuseu_test",
    "tables/table16_open_models": "refuseu_test",
    "tables/asr_rtp_lx": "rtp_lx",
    "tables/asr_polyglotox": "polyglotox",
    "figures/fig3_asr_heatmap": "refuseu_test",
    "figures/transfer_heatmap": "refuseu_test",
    "figures/fig12_asr_open_models": "refuseu_test",
}
FLUENCY = ("fig6_fluency_drop_by_run", "fig7_fluency_drop_by_language", "fig10_fluency_drop_by_run",
           "fig11_fluency_drop_by_language")  # fmt: skip


def rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def values_of(runs):
    """The value of each seed; none where that of one is missing, as a mean over the others would be another number."""
    return [float(row["value"]) for row in runs] if all(row["value"] for row in runs) else []


class Results:
    """The results of a study; `compared` counts the numbers that were found to agree."""

    def __init__(self, folder):
        self.folder, self.compared = Path(folder), 0
        self.tidy = {}
        for name in (METRICS, COMPARISONS):
            for row in rows(self.folder / name):
                if row.get("category", "all") == row.get("style", "all") == "all":
                    key = tuple(row.get(k, "") for k in ("benchmark", "metric", "reference"))
                    run = (row["base"], row["variant"], row["language"])
                    self.tidy.setdefault((name, *key), {}).setdefault(run, []).append(row)

    def found(self, name, cell, metric, benchmark=None, reference=""):
        """Rows behind a cell, one per seed; benchmark None is the only one that has the measure."""
        keys = [k for k in self.tidy if (k[0], k[2], k[3]) == (name, metric, reference) and benchmark in (None, k[1])]
        run = (cell["base"], cell["variant"], cell["language"])
        return [row for key in keys for row in self.tidy[key].get(run, [])]

    def agree(self, where, written, expected):
        assert (written == "") == (expected is None), (where, written, expected)
        if expected is not None:
            assert math.isclose(float(written), expected, rel_tol=2e-5, abs_tol=5e-6), (where, written, expected)
            self.compared += 1

    def cell(self, where, cell, found, prefix=""):
        """The row over all seeds, or the one there is, and the spread of the seeds' values."""
        runs = [row for row in found if row["seed"] != "all"]
        values = values_of(runs)
        whole = [row for row in found if row["seed"] == "all"] or (runs if len(runs) == 1 else [])
        self.agree((where, cell, "value"), cell[prefix + "value"], statistics.fmean(values) if values else None)
        for column in ("ci_low", "ci_high"):
            ends = [float(row[column]) for row in whole if row[column]]
            self.agree((where, cell, column), cell[prefix + column], ends[0] if ends else None)
        if not prefix:
            self.agree((where, cell, "spread"), cell["spread"], statistics.stdev(values) if len(values) > 1 else None)

    def beside_published(self, where, cell):
        if cell.get("published") and cell["value"]:
            self.agree((where, cell), cell["difference"], float(cell["value"]) - float(cell["published"]))
            inside = float(cell["ci_low"]) <= float(cell["published"]) <= float(cell["ci_high"])
            assert cell["published_inside"] == str(inside), (where, cell)

    def check(self):
        for name, benchmark in HARMFUL.items():
            for cell in rows(self.folder / f"{name}.csv"):
                self.cell(name, cell, self.found(METRICS, cell, "asr", benchmark))
                self.beside_published(name, cell)
        for cell in rows(self.folder / "tables/table3_global_mmlu.csv"):
            self.cell("table3", cell, self.found(METRICS, cell, "accuracy"))
            self.cell("table3", cell, self.found(COMPARISONS, cell, "accuracy", None, "abliterated"), "change_")
        for cell in rows(self.folder / "tables/outcomes.csv"):
            benchmark = None if cell["metric"] in ("over_refusal_rate", "judged_share") else "refuseu_test"
            self.cell("outcomes", cell, self.found(METRICS, cell, cell["metric"], benchmark))
        for cell in rows(self.folder / "figures/fig4_asr_vs_language_consistency.csv"):
            for metric in ("asr", "language_consistency"):
                found = self.found(METRICS, cell, metric, "refuseu_test")
                values = values_of([row for row in found if row["seed"] != "all"])
                self.agree(("fig4", cell), cell[metric], statistics.fmean(values) if values else None)
        for name in ("fig8_language_consistency_delta", "transfer_consistency"):
            for cell in rows(self.folder / f"figures/{name}.csv"):
                where = ("language_consistency", "refuseu_test", "abliterated")
                self.cell(name, cell, self.found(COMPARISONS, cell, *where))
        for name in FLUENCY:
            for cell in rows(self.folder / f"figures/{name}.csv"):
                self.cell(name, cell, self.found(COMPARISONS, cell, cell["panel"], None, "abliterated"))
        return self.compared


if __name__ == "__main__":
    print(Results(sys.argv[1]).check(), "numbers agree")  # noqa: T201
