"""The built dataset as others get it: loadable, in the released layout, with a card."""

import os
import subprocess
import sys

import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from refuseu.dataset.card import metadata, write_card, write_data
from refuseu.dataset.released import read
from support.helpers import ROOT

LANGUAGES = ["pl", "en"]
FACTS = {
    "study": "paper", "languages": LANGUAGES, "identification": "lingua", "translation": "deepl",
    "models": {
        "prompts": {"repository": "mistralai/Mistral-Small-24B-Instruct-2501", "revision": "abc"},
        "chosen answers": {"repository": "someone/unknown", "revision": "def"},
    },
    "seed_language": "pl", "fill": None, "prompts_per_slot": 60, "prompts_per_category": None,
    "near_duplicates": {"threshold": 0.8, "shingle": 5},
    "policies": {"prompt_unsafe": "all", "chosen_safe": "all", "rejected_unsafe": "any"},
    "split": {"per_category": 1, "if_short": "stop", "by_activity": False, "held_out": 0, "seed": 1},
}  # fmt: skip
FUNNEL = [{"language": code, "step": step, "n": n} for code in LANGUAGES
          for step, n in (("generated", 40), ("no_near_duplicate", 39), ("paired", 17))]  # fmt: skip


def pair(language, request, text="Do it"):
    turn = {"role": "user", "content": f"{text} {request}"}
    category, style = request.split("-")[0], request.split("-")[2]
    return {
        "pair_id": f"{language}-{request}", "language": language, "category": category, "activity": request[:4],
        "style": style, "prompt": turn["content"],
        "chosen": [turn, {"role": "assistant", "content": f"No. {text}"}],
        "rejected": [turn, {"role": "assistant", "content": ""}], "slot": f"{category}/{style}",
    }  # fmt: skip


TRAIN = [pair("pl", "S1-1-slang-0"), pair("pl", "S2-1-slang-0"), pair("en", "S1-1-slang-0"), pair("en", "S1-1-slang-1")]
TEST = [pair("pl", "S1-1-role_play-0", "Zażółć"), pair("en", "S1-1-role_play-0"), pair("en", "S2-1-role_play-3")]


@pytest.fixture
def folder(tmp_path):
    export(tmp_path / "card")
    return tmp_path / "card"


def export(folder, train=TRAIN, test=TEST):
    write_data(folder, train, test, LANGUAGES)
    licences = ROOT / "resources/model_licences.tsv"
    template = ROOT / "workflow/report/dataset_card.md.j2"
    write_card(folder / "README.md", template, train, test, FUNNEL, licences, FACTS)


def test_the_card_says_how_many_prompts_were_asked_for(tmp_path):
    licences, template = ROOT / "resources/model_licences.tsv", ROOT / "workflow/report/dataset_card.md.j2"
    for facts, said in [
        (
            {"fill": {"pairs": 306, "rounds": 3, "most": 900}},
            "in up to 3 rounds after a pilot, as each category needed",
        ),
        ({"prompts_per_category": 14}, "14 prompt(s) for every category and language"),
        ({}, "60 prompt(s) for every activity, style and language"),
    ]:
        write_card(tmp_path / "README.md", template, TRAIN, TEST, FUNNEL, licences, FACTS | facts)
        assert said in (tmp_path / "README.md").read_text(encoding="utf-8")


def released(row, *keys):
    """What the released layout keeps of a pair."""
    return {key: row[key] for key in keys}


PAIR = ("pair_id", "language", "category", "prompt", "chosen", "rejected")


def test_what_is_read_back_is_what_was_built(folder):
    train, test = read(folder, LANGUAGES, category_by_row_id=True)
    assert [released(row, *PAIR) for row in train] == [released(row, *PAIR) for row in TRAIN]
    keys = ("language", "category", "prompt")
    assert [released(row, *keys) for row in test] == [released(row, *keys) for row in TEST]
    assert {row["category"] for row in read(folder, LANGUAGES)[1]} == {""}


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1) | st.just("{a} \u202eא 🙂\x00\r\n" * 2_000)


@given(TEXT)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_any_text_is_read_back_as_it_was(tmp_path, text):
    train = [pair("pl", "S1-1-slang-0", text), pair("en", "S1-1-slang-0", text)]
    test = [pair("pl", "S1-1-role-0", text), pair("en", "S1-1-role-0", text)]
    write_data(tmp_path, train, test, LANGUAGES)
    found = read(tmp_path, LANGUAGES)
    assert [released(row, *PAIR) for row in found[0]] == [released(row, *PAIR) for row in train]
    assert [row["prompt"] for row in found[1]] == [row["prompt"] for row in test]


def test_the_files_have_the_columns_and_types_of_the_released_ones(folder):
    for config in ("multilingual", "lang_pl", "lang_en"):
        for split in ("train", "test"):
            schema = pq.read_schema(folder / config / f"{split}-00000-of-00001.parquet")
            assert schema.names == ["chosen", "rejected", "lang", "id", "row_id", "category"]
            turns = "list<element: struct<content: string, role: string>>"
            assert [str(kind) for kind in schema.types] == [turns, turns, "string", "string", "int64", "string"]
    schema = pq.read_schema(folder / "evaluation/eval-00000-of-00001.parquet")
    assert dict(zip(schema.names, map(str, schema.types), strict=True)) == {
        "row_id": "int64", "lang": "string", "prompt": "string"
    }  # fmt: skip


def test_one_request_has_one_row_id_in_all_languages_and_no_other_has_it(folder):
    files = [folder / f"multilingual/{split}-00000-of-00001.parquet" for split in ("train", "test")]
    rows = [row for file in files for row in pq.read_table(file).to_pylist()]
    of = {}
    for row in rows:
        of.setdefault(row["row_id"], set()).add(row["id"])
    assert sorted(of) == list(range(5))
    assert all(len(ids) == 1 for ids in of.values())
    assert len({(row["lang"], row["row_id"]) for row in rows}) == len(rows) == 7


def test_the_same_pairs_make_the_same_bytes(folder, tmp_path):
    export(tmp_path / "again")
    files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    assert len(files) == 1 + 3 * 2 + 1
    for name in files:
        assert (folder / name).read_bytes() == (tmp_path / "again" / name).read_bytes(), name


LOAD = """
import sys
from datasets import load_dataset, get_dataset_config_names
folder = sys.argv[1]
print(get_dataset_config_names(folder))
for config in ("lang_pl", "multilingual", "evaluation"):
    found = load_dataset(folder, config)
    print(config, {split: rows.num_rows for split, rows in found.items()})
print(load_dataset(folder, "lang_pl", split="test")[0]["chosen"])
"""


def test_datasets_loads_it_by_name_and_offline(folder, tmp_path):
    ended = subprocess.run(
        [sys.executable, "-c", LOAD, folder],
        env=os.environ | {"HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"},
        capture_output=True, text=True,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    names, pl, everything, evaluation, turns = ended.stdout.splitlines()
    assert eval(names) == ["multilingual", "lang_pl", "lang_en", "evaluation"]
    assert (pl, everything) == ("lang_pl {'train': 2, 'test': 1}", "multilingual {'train': 4, 'test': 3}")
    assert evaluation == "evaluation {'eval': 3}"
    assert eval(turns) == TEST[0]["chosen"]


def test_the_card_says_what_the_dataset_is(folder):
    _, front, text = (folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    front = yaml.safe_load(front)
    assert front["language"] == LANGUAGES and front["license"] == "other"
    assert front["size_categories"] == ["n<1K"] and "not-for-all-audiences" in front["tags"]
    assert {config["config_name"] for config in front["configs"]} == {path.name for path in folder.iterdir()} - {
        "README.md"
    }
    assert "**Content warning.**" in text
    assert "| Polish | pl | 2 | 1 |" in text and "| **all** |  | **4** | **3** |" in text
    assert "| language | generated | no near duplicate | paired |\n|:--|--:|--:|--:|\n| Polish | 40 | 39 | 17 |" in text
    assert "S1 5, S2 2." in text
    assert "at\n   least 0.8" in text and "all of the guards call the chosen one safe, and any of them" in text
    assert "| prompts | `mistralai/Mistral-Small-24B-Instruct-2501` | abc | Apache 2.0 |" in text
    assert "| chosen answers | `someone/unknown` | def | not recorded; read its page |" in text
    assert "arXiv:2606.07535" in text and "arXiv:2602.16660" in text
    for row in TRAIN + TEST:  # a card quotes no prompt and no answer
        assert row["prompt"] not in text


@pytest.mark.parametrize(
    ("pairs", "size"), [(999, "n<1K"), (1000, "1K<n<10K"), (51_468, "10K<n<100K"), (10**7, "n>10M")]
)
def test_the_size_category_is_the_hubs(pairs, size):
    assert yaml.safe_load(metadata("paper", ["en"], pairs))["size_categories"] == [size]


def test_norwegian_is_a_language_and_no_denial():
    assert yaml.safe_load(metadata("paper", ["no", "en"], 1))["language"] == ["no", "en"]
