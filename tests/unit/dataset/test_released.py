"""The released dataset, in a small copy of its layout."""

import re

import pandas as pd
import pyarrow.parquet as pq
import pytest

from refuseu.dataset.released import read
from refuseu.errors import UserError
from refuseu.records import write_jsonl


def pair(language, n):
    turn = {"role": "user", "content": f"Do {language} {n}"}
    return {
        "chosen": [turn, {"role": "assistant", "content": "No."}],
        "rejected": [turn, {"role": "assistant", "content": "Yes."}],
        "lang": language, "id": f"{n:03}", "row_id": n, "category": f"S{n}",
    }  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    for language in ("en", "pl", "lv"):
        (tmp_path / f"lang_{language}").mkdir()
        train, test = [pair(language, 1), pair(language, 2)], [pair(language, 3)]
        pd.DataFrame(train).to_parquet(tmp_path / f"lang_{language}" / "train-00000-of-00001.parquet")
        pd.DataFrame(test).to_parquet(tmp_path / f"lang_{language}" / "test-00000-of-00001.parquet")
    (tmp_path / "evaluation").mkdir()
    rows = [{"row_id": n, "lang": code, "prompt": f"Ask {code} {n}"} for code in ("en", "pl", "lv") for n in (1, 2)]
    for part in range(2):
        half = pd.DataFrame(rows[3 * part : 3 * part + 3])
        half.to_parquet(tmp_path / "evaluation" / f"eval-0000{part}-of-00002.parquet")
    return tmp_path


def test_train_pairs_and_test_prompts_come_in_the_languages_of_the_study(folder):
    train, test = read(folder, ["pl", "en"])
    assert [row["pair_id"] for row in train] == ["pl-001", "pl-002", "en-001", "en-002"]
    assert train[0] == {
        "pair_id": "pl-001", "language": "pl", "category": "S1", "activity": "", "style": "", "prompt": "Do pl 1",
        "chosen": [{"role": "user", "content": "Do pl 1"}, {"role": "assistant", "content": "No."}],
        "rejected": [{"role": "user", "content": "Do pl 1"}, {"role": "assistant", "content": "Yes."}],
    }  # fmt: skip
    assert [row["pair_id"] for row in test] == ["en-1", "en-2", "pl-1", "pl-2"]
    assert test[0] == {
        "pair_id": "en-1",
        "language": "en",
        "category": "",
        "style": "",
        "slot": "1",
        "prompt": "Ask en 1",
    }


def test_train_and_test_share_no_prompt_and_no_id_twice(folder):
    train, test = read(folder, ["en", "pl", "lv"])
    assert not {row["prompt"] for row in train} & {row["prompt"] for row in test}
    for half in (train, test):
        assert len({row["pair_id"] for row in half}) == len(half)


@pytest.mark.parametrize(
    ("config", "split", "column"),
    [("lang_pl", "train", c) for c in ("chosen", "rejected", "lang", "id", "row_id", "category")]
    + [("evaluation", "eval", c) for c in ("row_id", "lang", "prompt")],
)
def test_a_missing_column_is_named(folder, config, split, column):
    [file, *_] = sorted((folder / config).glob(f"{split}-*"))
    for part in (folder / config).glob(f"{split}-*"):
        pd.read_parquet(part).drop(columns=column).to_parquet(part)
    with pytest.raises(UserError) as error:
        read(folder, ["pl", "en"])
    message = str(error.value)
    assert message.startswith(f"{file} has no column {column!r} (found ")
    assert "the revision has another layout" in message


@pytest.mark.parametrize(("config", "split"), [("lang_en", "train"), ("evaluation", "eval")])
def test_a_missing_file_is_named(folder, config, split):
    for part in (folder / config).glob(f"{split}-*"):
        part.unlink()
    with pytest.raises(UserError) as error:
        read(folder, ["en"])
    assert f"{folder}/{config} has no file {split}-*.parquet; check dataset.repository" in str(error.value)


# What does not fit


def rewrite(folder, config, split, change):
    """Change the rows of the first file of a split; returns the file."""
    [file, *_] = sorted((folder / config).glob(f"{split}-*"))
    rows = pd.read_parquet(file).to_dict("records")
    pd.DataFrame(change(rows)).to_parquet(file)
    return file


def said(folder, languages=("pl", "en"), **options):
    with pytest.raises(UserError) as error:
        read(folder, languages, **options)
    return str(error.value)


def setting(**values):
    """Set columns of the second row."""
    return lambda rows: [rows[0], rows[1] | values, *rows[2:]]


@pytest.mark.parametrize(
    ("column", "value", "kind"),
    [
        ("chosen", "No.", "a list of {content, role}"),
        ("rejected", ["Yes."], "a list of {content, role}"),
        ("chosen", [{"text": "No.", "role": "assistant"}], "a list of {content, role}"),
        ("chosen", [{"content": 1, "role": "assistant"}], "a list of {content, role}"),
        ("lang", 1, "text"),
        ("id", 7, "text"),
        ("row_id", "7", "whole numbers"),
        ("row_id", 0.5, "whole numbers"),
        ("category", 1, "text"),
    ],
)
def test_a_column_of_another_type_is_named(folder, column, value, kind):
    file = rewrite(folder, "lang_pl", "train", lambda rows: [row | {column: value} for row in rows])
    assert re.match(f"{re.escape(str(file))}, column '{column}' holds .* where {kind} is expected", said(folder))


@pytest.mark.parametrize("column", ["chosen", "lang", "id", "category"])
def test_a_value_that_is_not_there_is_named(folder, column):
    file = rewrite(folder, "lang_pl", "train", setting(**{column: None}))
    assert said(folder).startswith(f"{file}, column '{column}' is empty in 1 rows")


def test_rows_in_another_language_than_their_config_are_named(folder):
    file = rewrite(folder, "lang_pl", "train", setting(lang="cs"))
    assert said(folder).startswith(f"{file}, row 1, column 'lang' says 'cs' in the rows of 'pl'")


@pytest.mark.parametrize(
    "turns",
    [[], [{"content": "No.", "role": "assistant"}], [{"content": "Do", "role": "user"}],
     [{"content": "", "role": "user"}, {"content": "No.", "role": "assistant"}]],
)  # fmt: skip
def test_an_answer_to_no_prompt_is_named(folder, turns):
    file = rewrite(folder, "lang_pl", "train", setting(rejected=turns))
    assert said(folder).startswith(f"{file}, row 1, column 'rejected' does not end with a user turn and an answer")


def test_answers_to_different_prompts_are_named(folder):
    turns = [{"content": "Do that", "role": "user"}, {"content": "Yes.", "role": "assistant"}]
    file = rewrite(folder, "lang_pl", "train", setting(rejected=turns))
    assert said(folder).startswith(f"{file}, row 1, columns 'chosen' and 'rejected' answer different prompts")


def test_a_row_that_is_there_twice_is_named(folder):
    file = rewrite(folder, "lang_pl", "train", setting(id="001"))
    assert said(folder) == f"{file}, column 'id' has '001' twice; mend the data"


def test_an_evaluation_prompt_that_is_there_twice_is_named(folder):
    file = rewrite(folder, "evaluation", "eval", setting(row_id=1))
    assert said(folder) == f"{file}, column 'row_id' has ('en', 1) twice; mend the data"


@pytest.mark.parametrize(("config", "split"), [("lang_pl", "train"), ("evaluation", "eval")])
def test_a_split_without_rows_is_named(folder, config, split):
    for file in sorted((folder / config).glob(f"{split}-*")):
        pq.write_table(pq.read_table(file).slice(0, 0), file)
    assert said(folder).startswith(f"{sorted((folder / config).glob(f'{split}-*'))[0]} has no rows")


def test_a_language_without_evaluation_prompts_is_named(folder):
    for file in (folder / "evaluation").iterdir():
        rows = pd.read_parquet(file)
        rows[rows["lang"] != "pl"].to_parquet(file)
    assert "evaluation/eval-00000-of-00002.parquet, column 'lang' has no row in pl;" in said(folder)


# Categories of evaluation prompts


def test_a_prompt_gets_the_category_of_its_row_id_only_when_asked(folder):
    assert {row["category"] for row in read(folder, ["pl", "en"])[1]} == {""}
    _, test = read(folder, ["pl", "en"], category_by_row_id=True)
    assert {(row["pair_id"], row["category"]) for row in test} == {
        (f"{code}-{n}", f"S{n}") for code in ("pl", "en") for n in (1, 2)
    }


def test_a_row_id_that_occurs_nowhere_else_gives_no_category(folder):
    rewrite(folder, "evaluation", "eval", setting(row_id=99))
    _, test = read(folder, ["pl", "en"], category_by_row_id=True)
    assert [row["category"] for row in test if row["pair_id"] == "en-99"] == [""]
    assert any(row["category"] for row in test)


def test_the_test_rows_give_categories_too(folder):
    rewrite(folder, "evaluation", "eval", setting(row_id=3))
    _, test = read(folder, ["pl", "en"], category_by_row_id=True)
    assert [row["category"] for row in test if row["pair_id"] == "en-3"] == ["S3"]


def test_asking_for_categories_that_no_row_id_gives_is_refused(folder):
    for file in (folder / "evaluation").iterdir():
        pd.read_parquet(file).assign(row_id=lambda rows: rows["row_id"] + 100).to_parquet(file)
    message = said(folder, category_by_row_id=True)
    assert "no row_id occurs in the training and test rows" in message
    assert "dataset.category_by_row_id to false" in message


def test_one_row_id_with_two_categories_is_named(folder):
    rewrite(folder, "lang_en", "train", setting(category="S9"))
    assert "row_id 2 has the categories 'S2' and 'S9'" in said(folder, category_by_row_id=True)


@pytest.mark.parametrize("asked", [False, True])
def test_measures_per_category_exist_only_where_categories_do(folder, tmp_path, asked):
    from refuseu.analysis.metrics import measure, read_items
    from refuseu.evaluation.benchmarks import load

    half, known = tmp_path / "test.jsonl", tmp_path / "refuseu_test.jsonl"
    write_jsonl(half, read(folder, ["en"], asked)[1])
    prompts = load("refuseu", "refuseu_test", half, ["en"])
    answer = {"detected": "en", "outcome": "compliance", "verdict": "unsafe", "decided_by": "agreement", "labels": {}}
    write_jsonl(known, (row | answer | {"cluster": row["slot"]} for row in prompts))
    rows = measure({}, read_items(known), {"all_of_them": ["en"]}, False, confidence=0.95, resamples=100, seed=1)
    assert set(rows["category"]) == ({"all", "S1", "S2"} if asked else {"all"})
