"""The table of the consistency loss: settings from manifests, cosines from logs, ASR from measures."""

import json

import pandas as pd
import pytest

from refuseu.analysis.consistency import read_consistency
from refuseu.artifacts.tables import layout
from refuseu.artifacts.training import consistency

MLC = "8b-english_only_mlc-s1"
MODELS = {MLC: {"model": MLC, "base": "8b", "variant": "english_only_mlc", "method": "dpo+mlc", "seed": 1}}


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / "align" / MLC
    folder.mkdir(parents=True)
    # Twenty logged steps, of which every second one has a cosine, from 0.50 up to 0.95.
    cosines = [f"{0.5 + step / 40:.3f}" if step % 2 == 0 else "" for step in range(20)]
    (folder / "log.csv").write_text("step,cosine\n" + "".join(f"{i},{c}\n" for i, c in enumerate(cosines)))
    settings = {"layer": -1, "lambda": 0.8, "temperature": 0.2, "every": 2, "normalise": "by_first"}
    (folder / "manifest.json").write_text(json.dumps({"recipe": {"mlc": settings}}))
    measures = tmp_path / "measures.csv"
    columns = ["model", "base", "variant", "method", "seed", "benchmark", "language", "category", "style", "metric"]
    pd.DataFrame(
        [(MLC, "8b", "english_only_mlc", "dpo+mlc", 1, "refuseu_test", scope, "all", "all", "asr", value, None, None, 9)
         for scope, value in (("en", 0.0), ("pl", 0.75), ("all", 0.375))],
        columns=[*columns, "value", "ci_low", "ci_high", "n"],
    ).to_csv(measures, index=False)  # fmt: skip
    return folder / "log.csv", folder / "manifest.json", measures


def test_cosines_are_those_of_the_first_and_the_last_tenth_that_was_logged(files):
    log, manifest, _ = files
    row = read_consistency([log], [manifest], MODELS).iloc[0]
    assert (row["layer"], row["lambda"], row["every"]) == (-1, 0.8, 2)
    assert (row["cosine_before"], row["cosine_after"]) == pytest.approx((0.5, 0.95))


def test_collinearity_stands_beside_safety_in_each_language(files):
    log, manifest, measures = files
    table = consistency([measures], [log], [manifest], MODELS, {"high_resource": ["en"], "low_resource": ["pl"]})
    [row] = layout(table.cells, table.text, table.rows, table.columns).to_dict("records")
    read = {head[0] if isinstance(head, tuple) else head: text for head, text in row.items()}
    assert read["Layer"] == "−1"
    assert (read["Cosine before"], read["Cosine after"]) == ("0.50", "0.95")
    assert (read["English"], read["Polish"], read["Average"]) == ("0.0", "75.0", "37.5")
    assert "Runs with several seeds: over these. " in table.note and "±" not in table.note


def test_without_such_a_run_the_table_is_empty(files):
    log, manifest, measures = files
    assert not len(consistency([measures], [log], [manifest], {}, {"high_resource": ["en"]}).cells)
