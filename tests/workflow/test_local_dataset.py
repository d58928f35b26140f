"""The released dataset from a local folder: by dry run and for real."""

import pandas as pd
import pytest

from refuseu.records import read_jsonl
from support.helpers import CODES


def pair(language, n):
    turn = {"role": "user", "content": f"Do {language} {n}"}
    answers = {
        side: [turn, {"role": "assistant", "content": text}] for side, text in (("chosen", "No."), ("rejected", "Yes."))
    }
    return answers | {"lang": language, "id": f"{n:03}", "row_id": n, "category": f"S{n}"}


@pytest.fixture(scope="module")
def options(checkout):
    """Arguments that make a study of a small copy of the released rows."""
    folder = checkout.folder / "rows"
    for language in CODES:
        (folder / f"lang_{language}").mkdir(parents=True)
        for split, numbers in (("train", (1, 2)), ("test", (3,))):
            rows = pd.DataFrame([pair(language, n) for n in numbers])
            rows.to_parquet(folder / f"lang_{language}/{split}-00000-of-00001.parquet")
    (folder / "evaluation").mkdir()
    rows = [{"row_id": n, "lang": code, "prompt": f"Ask {code} {n}"} for code in CODES for n in (2, 3, 4)]
    pd.DataFrame(rows).to_parquet(folder / "evaluation/eval-00000-of-00001.parquet")
    return study(checkout, "rows")


def study(checkout, repository, **dataset):
    dataset = {"source": "hub", "repository": repository, "revision": "local", **dataset}
    overlay = checkout.overlay("local.yaml", {"study": "local_rows", "warm_workers": False, "dataset": dataset})
    return ["--profile", "miniature", "--configfile", "config/miniature/config.yaml", overlay]


def test_a_folder_is_read_and_nothing_is_fetched(checkout, options):
    assert checkout.jobs("dataset", *options) == {"dataset": 1, "load_dataset": 1}


@pytest.mark.parametrize("asked", [False, True])
def test_pairs_and_prompts_of_a_folder_become_the_halves_of_the_study(checkout, options, asked):
    arguments = study(checkout, "rows", category_by_row_id=asked)
    ended = checkout.snakemake("dataset", *arguments)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    train, test = (
        read_jsonl(checkout.folder / f"results/local_rows/load_dataset/{half}.jsonl") for half in ("train", "test")
    )
    assert [row["pair_id"] for row in train[:3]] == ["en-001", "en-002", "de-001"]
    assert train[0]["chosen"] == pair("en", 1)["chosen"] and len(train) == 24
    assert [row["category"] for row in test[:3]] == (["S2", "S3", ""] if asked else ["", "", ""])


def test_a_column_that_does_not_fit_stops_the_job_with_one_sentence(checkout, options):
    file = checkout.folder / "rows/lang_pl/train-00000-of-00001.parquet"
    whole = file.read_bytes()
    pd.read_parquet(file).drop(columns="category").to_parquet(file)
    try:
        ended = checkout.snakemake("dataset", *options)
    finally:
        file.write_bytes(whole)
    said = ended.stdout + ended.stderr
    assert ended.returncode == 1
    assert "load_dataset: rows/lang_pl/train-00000-of-00001.parquet has no column 'category'" in said
    assert "Traceback" not in said


def test_a_folder_that_does_not_exist_stops_before_any_job(checkout, options):
    ended = checkout.snakemake("dataset", *study(checkout, "nowhere"))
    said = ended.stdout + ended.stderr
    assert ended.returncode == 1 and "Traceback" not in said
    assert "refuseu: dataset.repository names the folder nowhere, which does not exist" in said
