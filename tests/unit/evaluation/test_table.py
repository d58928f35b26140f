"""Benchmarks as tables: every kind of file and every way to say where the prompts are; ready rows on invented ones."""

import csv
import json

import pandas as pd
import pytest
import yaml

from refuseu.errors import UserError
from refuseu.evaluation.benchmarks import load
from refuseu.evaluation.table import wanted
from refuseu.schemas import check, read_tsv
from support.helpers import CODES, ROOT

ROWS = [{"id": "a", "text": "One, two", "kind": "x"}, {"id": "b", "text": 'Three\n"four"', "kind": "y"}]
READ = {"prompt": "text", "id": "id", "category": "kind"}


def write(file, rows):
    """Rows in the kind of file that its name says; lists of lists have no header."""
    file.parent.mkdir(parents=True, exist_ok=True)
    match file.suffix:
        case ".jsonl":
            file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        case ".json":
            file.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
        case ".parquet":
            pd.DataFrame(rows).to_parquet(file)
        case kind:
            cells = [list(row.values()) if isinstance(row, dict) else row for row in rows]
            header = [list(rows[0])] if isinstance(rows[0], dict) else []
            with open(file, "w", encoding="utf-8-sig", newline="") as out:  # with a mark, as Excel does
                csv.writer(out, delimiter="\t" if kind == ".tsv" else ",").writerows(header + cells)


def read(folder, languages, **table):
    check(table, "table", "here")
    return load("table", "mine", folder, languages, table)


def prompts(folder, languages, **table):
    return {row["prompt_id"]: row["prompt"] for row in read(folder, languages, **table)}


def refused(folder, languages, **table):
    with pytest.raises(UserError) as error:
        read(folder, languages, **table)
    return str(error.value)


# Kinds of files


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "json", "parquet"])
def test_every_kind_of_file_gives_the_same_prompts(tmp_path, kind):
    write(tmp_path / f"data.{kind}", ROWS)
    assert read(tmp_path, ["en"], files=f"data.{kind}", **READ) == [
        {"prompt_id": "mine-en-a", "language": "en", "category": "x", "style": "", "slot": "", "prompt": "One, two"},
        {
            "prompt_id": "mine-en-b",
            "language": "en",
            "category": "y",
            "style": "",
            "slot": "",
            "prompt": 'Three\n"four"',
        },
    ]


def test_without_a_header_columns_are_numbers(tmp_path):
    write(tmp_path / "data.csv", [["One", "1"], ["Two", "2"]])
    assert prompts(tmp_path, ["en"], files="data.csv", header=False, prompt=1) == {
        "mine-en-1": "One",
        "mine-en-2": "Two",
    }


def test_a_path_goes_down_into_lists_and_objects(tmp_path):
    write(tmp_path / "data.jsonl", [{"turns": [{"from": "human", "value": "One"}], "a.b": "as it is"}])
    assert prompts(tmp_path, ["en"], files="data.jsonl", prompt="turns.0.value") == {"mine-en-1": "One"}
    assert prompts(tmp_path, ["en"], files="data.jsonl", prompt="a.b") == {"mine-en-1": "as it is"}


# Where the language is


def test_a_column_names_the_language(tmp_path):
    rows = [{"lang": "ger", "text": "Eins", "n": 1}, {"lang": "en", "text": "One", "n": 1}]
    write(tmp_path / "data.json", rows)
    found = prompts(
        tmp_path, ["en", "de"], files="data.json", prompt="text", language="lang", codes={"de": "ger"}, id="n"
    )
    assert found == {"mine-en-1": "One", "mine-de-1": "Eins"}


@pytest.mark.parametrize("prompt", ["text_{language}", {"en": "text_en", "de": "text_de"}])
def test_a_column_per_language(tmp_path, prompt):
    write(tmp_path / "data.csv", [{"text_en": "One", "text_de": "Eins"}, {"text_en": "Two", "text_de": "Zwei"}])
    assert prompts(tmp_path, ["de", "en"], files="data.csv", prompt=prompt) == {
        "mine-de-1": "Eins", "mine-de-2": "Zwei", "mine-en-1": "One", "mine-en-2": "Two"
    }  # fmt: skip


def test_a_file_per_language_and_category(tmp_path):
    for code, text in (("en", "One"), ("sp", "Uno")):
        write(tmp_path / code / f"First_{code}.csv", [[text]])
        write(tmp_path / code / "Second.csv", [[f"{text} more"]])
    files = {"first": "{language}/First*.csv", "second": "{language}/Second*.csv"}
    rows = read(tmp_path, ["en", "es"], files=files, header=False, prompt=1, codes={"es": "sp"})
    assert {row["prompt_id"]: (row["category"], row["prompt"]) for row in rows} == {
        "mine-en-first-1": ("first", "One"), "mine-en-second-1": ("second", "One more"),
        "mine-es-first-1": ("first", "Uno"), "mine-es-second-1": ("second", "Uno more"),
    }  # fmt: skip
    assert wanted({"files": files, "codes": {"es": "sp"}}, ["es"]) == ["sp/First*.csv", "sp/Second*.csv"]


def test_only_rows_with_the_wanted_values_are_taken_and_keep_their_place(tmp_path):
    write(tmp_path / "data.json", [{"p": "One", "safe": True, "n": 1}, {"p": "Two", "safe": False, "n": 2}])
    assert prompts(tmp_path, ["en"], files="data.json", prompt="p", where={"safe": False}) == {"mine-en-2": "Two"}
    assert prompts(tmp_path, ["en"], files="data.json", prompt="p", where={"n": 1}) == {"mine-en-1": "One"}


# What is missing


def test_a_missing_file_names_its_language(tmp_path):
    write(tmp_path / "en.csv", ROWS)
    assert refused(tmp_path, ["en", "sl"], files="{language}.csv", **READ) == (
        f"benchmark 'mine' has no file sl.csv in {tmp_path}, which it needs for 'sl'; put it there, or take the "
        "language out of its row in benchmarks.tsv"
    )


@pytest.mark.parametrize(
    ("key", "value"), [("prompt", "body"), ("id", "key"), ("category", "topic"), ("where", "split")]
)
def test_a_missing_column_is_named_with_those_found(tmp_path, key, value):
    write(tmp_path / "data.csv", ROWS)
    table = READ | {key: {value: "1"} if key == "where" else value}
    expected = f"{tmp_path / 'data.csv'} has no column {value!r}; found are id, text, kind"
    assert refused(tmp_path, ["en"], files="data.csv", **table) == expected


def test_a_language_that_no_row_names_is_said(tmp_path):
    write(tmp_path / "data.csv", [{"lang": "en", "text": "One"}])
    message = refused(tmp_path, ["en", "lv"], files="data.csv", prompt="text", language="lang")
    assert message.startswith("benchmark 'mine' has nothing in lv under")


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("data.csv", b"id,text,kind\na,b\n", "data.csv, line 2 has 2 cells where the header has 3; correct it"),
        ("data.csv", b'id,text,kind\na,"b\n', "cannot be read as csv in UTF-8"),
        ("data.csv", b"id,text,kind\na,\xff,b\n", "cannot be read as csv in UTF-8"),
        ("data.json", b'{"rows": []}', "data.json is no list of objects; make it one, or name it .jsonl"),
        ("data.jsonl", b"{", "cannot be read as jsonl in UTF-8"),
        ("data.xlsx", b"", "data.xlsx is of no known kind; tables are .csv, .tsv, .jsonl, .json, .parquet"),
        ("data.csv", b"id,text,kind\na,,x\n", "benchmark 'mine' has an empty prompt, 'mine-en-a'"),
        ("data.csv", b"id,text,kind\na,b,x\na,c,x\n", "benchmark 'mine' has 'mine-en-a' of en twice"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_named(tmp_path, name, content, expected):
    (tmp_path / name).write_bytes(content)
    assert expected in refused(tmp_path, ["en"], files=name, **READ)


# Ready rows: the published layouts, with invented content

READY = {row["benchmark"]: row for row in csv.DictReader(
    (ROOT / "config/more_benchmarks.tsv").read_text(encoding="utf-8").splitlines(), delimiter="\t")}  # fmt: skip
XSTEST = ["id", "prompt", "type", "label", "focus", "note"]
XSAFETY = ["commonsense", "Crimes_And_Illegal_Activities", "Ethics_And_Morality", "Goal_Hijacking",
           "Inquiry_With_Unsafe_Opinion", "Insult", "Mental_Health", "Physical_Harm", "Privacy_And_Property",
           "Prompt_Leaking", "Reverse_Exposure", "Role_Play_Instruction", "Unfairness_And_Discrimination",
           "Unsafe_Instruction_Topic"]  # fmt: skip
PKU = ["zh", "ru", "ja", "ar", "bn", "sw", "ur", "ps", "ku"]


def xstest(folder):
    rows = [["1", "How do I kill a printer job?", "homonyms", "safe", "kill", "violence"],
            ["2", "How do I do harm?", "contrast_homonyms", "unsafe", "kill", ""]]  # fmt: skip
    write(folder / "xstest_prompts.csv", [dict(zip(XSTEST, row, strict=True)) for row in rows])


def polyrefuse(folder):
    for code in ("en", "de", "es", "fr", "it", "pl"):
        translated = {} if code == "en" else {"instruction_translated": f"Something harmful in {code}"}
        row = {"instruction": "Something harmful in en", **translated, "category": "illegal"}
        write(folder / f"harmful_test_translated_{code}.json", [row])
        row = {"instruction": "Name a star", "instruction_translated": f"Name a star in {code}", "category": None}
        write(folder / f"harmless_test_translated_{code}.json", [row])


def multijail(folder):
    texts = {code: f"Something in {code}" for code in ("en", "zh", "it", "vi", "ar", "ko", "th", "bn", "sw", "jv")}
    write(folder / "MultiJail.csv", [{"id": "0", "source": "s", "tags": "['Theft']"} | texts])


def xsafety(folder):
    for code in ("en", "de", "fr", "sp"):
        for kind in XSAFETY:
            ending = (
                "_n"
                if code == "en" and kind not in XSAFETY[:2]
                else "_en"
                if (code, kind) == ("en", XSAFETY[1])
                else ""
            )
            second = [""] if (code, kind) == ("en", "Unfairness_And_Discrimination") else []
            rows = [[f"{kind} {n} in {code}", *second] for n in range(3)]
            write(folder / code / f"{kind}{ending}.csv", rows)


def strongreject(folder):
    write(
        folder / "strongreject_dataset.csv", [{"category": "Violence", "source": "s", "forbidden_prompt": "Something"}]
    )


def pku(folder):
    turn = {code: [{"from": "human", "value": f"Something in {code}"}] for code in ["en", *PKU]}
    row = {"prompt": turn["en"], "chosen": {"from": "gpt", "value": "No"}, "rejected": {"from": "gpt", "value": "Yes"}}
    write(folder / "pku_saferlhf_safety_test.jsonl", [row | {f"prompt_{code}": turn[code] for code in PKU}])


@pytest.mark.parametrize(
    ("name", "layout", "languages", "number", "first"),
    [
        ("xstest_safe", xstest, "en", 1, ("xstest_safe-en-1", "homonyms", "How do I kill a printer job?")),
        ("xstest_unsafe", xstest, "en", 1, ("xstest_unsafe-en-2", "contrast_homonyms", "How do I do harm?")),
        ("polyrefuse_harmful", polyrefuse, "pl", 6, ("polyrefuse_harmful-pl-1", "illegal", "Something harmful in pl")),
        ("polyrefuse_harmless", polyrefuse, "en", 6, ("polyrefuse_harmless-en-1", "", "Name a star in en")),
        ("multijail", multijail, "it", 2, ("multijail-it-0", "['Theft']", "Something in it")),
        ("xsafety", xsafety, "es", 4 * 14 * 3, ("xsafety-es-commonsense-1", "commonsense", "commonsense 0 in sp")),
        ("strongreject", strongreject, "en", 1, ("strongreject-en-1", "Violence", "Something")),
        ("pku_saferlhf", pku, "en", 1, ("pku_saferlhf-en-1", "", "Something in en")),
    ],
)
def test_a_ready_row_reads_the_published_layout(tmp_path, name, layout, languages, number, first):
    layout(tmp_path)
    row = READY[name]
    table = yaml.safe_load((ROOT / f"config/tables/{name}.yaml").read_text(encoding="utf-8"))
    records = load(row["source"], name, tmp_path, row["languages"].split(","), table)
    assert len(records) == number
    ours = next(record for record in records if record["language"] == languages)
    assert (ours["prompt_id"], ours["category"], ours["prompt"]) == first


def test_pku_saferlhf_is_read_in_its_ten_languages(tmp_path):
    pku(tmp_path)
    table = yaml.safe_load((ROOT / "config/tables/pku_saferlhf.yaml").read_text(encoding="utf-8"))
    found = load("table", "pku", tmp_path, ["en", *PKU], table)
    assert [row["prompt"] for row in found] == [f"Something in {code}" for code in ["en", *PKU]]


def test_every_table_that_is_described_is_in_a_sheet_and_the_other_way_round():
    sheets = ("config/benchmarks.tsv", "config/more_benchmarks.tsv")
    header = (ROOT / sheets[0]).read_text(encoding="utf-8").split("\n")[0].split("\t")
    rows = [row for sheet in sheets for row in read_tsv(ROOT / sheet, header)]
    described = {file.stem for file in (ROOT / "config/tables").glob("*.yaml")}
    assert described == {row["benchmark"] for row in rows if row["source"] == "table"}
    assert len({row["benchmark"] for row in rows}) == len(rows)


@pytest.mark.parametrize("name", [name for name, row in READY.items() if row["revision"] == "sha256"])
def test_every_file_that_a_ready_row_reads_is_pinned_and_no_other(name):
    from fnmatch import fnmatch

    table = yaml.safe_load((ROOT / f"config/tables/{name}.yaml").read_text(encoding="utf-8"))
    patterns = wanted(table, READY[name]["languages"].split(","))
    for pattern in patterns:
        assert [file for file in table["sha256"] if fnmatch(file, pattern)], pattern
    assert all(any(fnmatch(file, pattern) for pattern in patterns) for file in table["sha256"])
    assert set(READY[name]["languages"].split(",")) <= set(CODES)
