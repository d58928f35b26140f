"""The released dataset, in a small copy of its layout."""

import pandas as pd
import pytest

from refuseu.errors import UserError
from refuseu.released import read


def pair(language, n):
    turn = {"role": "user", "content": f"Do {language} {n}"}
    return {
        "chosen": [turn, {"role": "assistant", "content": "No."}],
        "rejected": [turn, {"role": "assistant", "content": "Yes."}],
        "lang": language, "id": f"{n:03}", "row_id": n, "category": "S1",
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
    assert test[0] == {"pair_id": "en-1", "language": "en", "category": "", "style": "", "prompt": "Ask en 1"}


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
    assert "the pinned revision has another layout" in message


@pytest.mark.parametrize(("config", "split"), [("lang_en", "train"), ("evaluation", "eval")])
def test_a_missing_file_is_named(folder, config, split):
    for part in (folder / config).glob(f"{split}-*"):
        part.unlink()
    with pytest.raises(UserError) as error:
        read(folder, ["en"])
    assert f"{folder}/{config} has no file {split}-*.parquet; check dataset.repository" in str(error.value)
