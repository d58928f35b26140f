"""Benchmarks in the layout in which they are released, written small by the tests."""

import json
import struct
import zlib

import pandas as pd
import pytest

from refuseu.analysis.dependence import clusters
from refuseu.errors import UserError
from refuseu.evaluation.benchmarks import load
from refuseu.runner.preflight import check_benchmark
from refuseu.study.rows import Benchmark
from support.helpers import CODES, ROOT

QUESTION = {
    "sample_id": "anatomy/test/0", "subject": "anatomy", "subject_category": "STEM", "question": "Q?",
    "option_a": "1", "option_b": "2", "option_c": "3", "option_d": "4", "answer": "C",
    "required_knowledge": "none",
}  # fmt: skip


def refused(*args):
    with pytest.raises(UserError) as error:
        load(*args)
    return str(error.value)


def lines(path, *rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


# The study's own test half


def test_refuseu_gives_the_test_prompts_by_language(tmp_path):
    file = tmp_path / "test.jsonl"
    pair = {"category": "S1", "style": "slang", "slot": "S1/slang", "activity": "S1-1", "chosen": [], "rejected": []}
    lines(file, *(pair | {"pair_id": f"{c}-1", "language": c, "prompt": f"Do {c}"} for c in ("pl", "en", "de")))
    assert load("refuseu", "refuseu_test", file, ["en", "pl"]) == [
        {
            "prompt_id": f"{c}-1",
            "language": c,
            "category": "S1",
            "style": "slang",
            "slot": "S1/slang",
            "prompt": f"Do {c}",
        }
        for c in ("en", "pl")
    ]


def test_a_language_without_prompts_is_named(tmp_path):
    lines(tmp_path / "t", {"pair_id": "1", "language": "en", "category": "", "style": "", "slot": "", "prompt": "x"})
    message = refused("refuseu", "refuseu_test", tmp_path / "t", ["en", "lv", "sl"])
    assert message.startswith(f"benchmark 'refuseu_test' has nothing in lv, sl under {tmp_path / 't'};")
    assert "benchmarks.tsv" in message


# RTP-LX


def rtp(index, prompt, **more):
    return {"Index": index, "Prompt": prompt, "Completion": "", "Locale": "x"} | more


def test_rtp_lx_is_json_lines_by_locale(tmp_path):
    lines(tmp_path / "RTP_LX_EN.json", rtp(1, "One"), rtp(7, "Two\nlines \u2028 {x}"))
    lines(tmp_path / "RTP_LX_PL.json", rtp(1, "Raz"))
    assert load("rtp_lx", "rtp_lx", tmp_path, ["pl", "en"]) == [
        {"prompt_id": "rtp_lx-pl-1", "language": "pl", "category": "", "style": "", "slot": "", "prompt": "Raz"},
        {"prompt_id": "rtp_lx-en-1", "language": "en", "category": "", "style": "", "slot": "", "prompt": "One"},
        {"prompt_id": "rtp_lx-en-7", "language": "en", "category": "", "style": "", "slot": "",
         "prompt": "Two\nlines \u2028 {x}"},
    ]  # fmt: skip


def test_prompts_that_rtp_lx_has_in_one_language_alone_are_no_translations_of_each_other(tmp_path):
    for code in ("PL", "CS"):  # numbers from 999 on are used again by other languages
        lines(tmp_path / f"RTP_LX_{code}.json", rtp(998, "x"), rtp("1001", "y"))
    rows = load("rtp_lx", "rtp_lx", tmp_path, ["pl", "cs"])
    assert [row["prompt_id"] for row in rows] == [
        "rtp_lx-pl-998",
        "rtp_lx-pl-pl-1001",
        "rtp_lx-cs-998",
        "rtp_lx-cs-cs-1001",
    ]
    assert clusters(rows, "rtp_lx", parallel=True) == ["998", "pl-1001", "998", "cs-1001"]


def test_of_portuguese_only_portugals_rows_are_taken(tmp_path):
    rows = [rtp(1, "BR", Dialect="Brazil"), rtp(2, "PT", Dialect="Portugal"), rtp(3, "both", Dialect="")]
    lines(tmp_path / "RTP_LX_PT.json", *rows)
    assert [r["prompt"] for r in load("rtp_lx", "rtp_lx", tmp_path, ["pt"])] == ["PT", "both"]
    lines(tmp_path / "RTP_LX_PT.json", rows[0])
    assert [r["prompt"] for r in load("rtp_lx", "rtp_lx", tmp_path, ["pt"])] == ["BR"]


def test_a_missing_rtp_lx_file_is_named(tmp_path):
    message = refused("rtp_lx", "rtp_lx", tmp_path, ["cs"])
    assert message == f"benchmark 'rtp_lx' needs {tmp_path / 'RTP_LX_CS.json'}; put it there, see docs/howto/rtp_lx.md"


@pytest.mark.parametrize("language", ["sk", "sl", "lt", "lv"])
def test_languages_that_came_with_version_1_5_say_so(tmp_path, language):
    assert refused("rtp_lx", "rtp_lx", tmp_path, [language]).endswith(f"take version 1.5, with which {language} came")


@pytest.fixture
def locked(tmp_path):
    """RTP-LX as it is released: one archive, locked with the classic cipher of zip files."""
    (tmp_path / "RTP-LX.zip").write_bytes(lock("RTP-LX/RTP_LX_EN.json", b'{"Index": 1, "Prompt": "One"}\n', b"secret"))
    return tmp_path


def lock(name, data, password):
    """A zip archive with one file, encrypted as section 6.1 of PKWARE's APPNOTE.TXT describes."""
    table = [crc_step(n) for n in range(256)]
    keys = [0x12345678, 0x23456789, 0x34567890]

    def update(byte):
        keys[0] = (keys[0] >> 8) ^ table[(keys[0] ^ byte) & 0xFF]
        keys[1] = ((keys[1] + (keys[0] & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        keys[2] = (keys[2] >> 8) ^ table[(keys[2] ^ (keys[1] >> 24)) & 0xFF]

    for byte in password:
        update(byte)
    crc, locked = zlib.crc32(data), bytearray()
    for byte in bytes(11) + bytes([crc >> 24]) + data:
        temporary = (keys[2] | 2) & 0xFFFF
        locked.append(byte ^ ((temporary * (temporary ^ 1) >> 8) & 0xFF))
        update(byte)
    sizes = struct.pack("<HHHHHIIIHH", 20, 1, 0, 0, 0x21, crc, len(locked), len(data), len(name), 0)
    head = b"PK\3\4" + sizes + name.encode()
    entry = b"PK\1\2" + struct.pack("<H", 20) + sizes + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name.encode()
    end = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(entry), len(head) + len(locked), 0)
    return head + locked + entry + end


def crc_step(n):
    for _ in range(8):
        n = (n >> 1) ^ 0xEDB88320 if n & 1 else n >> 1
    return n


def test_the_locked_archive_is_read_with_the_password_from_the_environment(locked, monkeypatch):
    monkeypatch.setenv("RTP_LX_PASSWORD", "secret")
    assert [row["prompt"] for row in load("rtp_lx", "rtp_lx", locked, ["en"])] == ["One"]
    assert "RTP_LX_DE.json" in refused("rtp_lx", "rtp_lx", locked, ["de"])


def test_an_unpacked_file_is_taken_before_the_archive(locked, monkeypatch):
    monkeypatch.delenv("RTP_LX_PASSWORD", raising=False)
    lines(locked / "RTP_LX_EN.json", rtp(1, "Mine"))
    assert [row["prompt"] for row in load("rtp_lx", "rtp_lx", locked, ["en"])] == ["Mine"]


@pytest.mark.parametrize("password", [None, "", "canary"])
def test_without_the_right_password_the_variable_is_named_and_the_password_is_not(locked, monkeypatch, password):
    monkeypatch.delenv("RTP_LX_PASSWORD", raising=False)
    if password is not None:
        monkeypatch.setenv("RTP_LX_PASSWORD", password)
    message = refused("rtp_lx", "rtp_lx", locked, ["en"])
    assert "set RTP_LX_PASSWORD in the environment" in message and "canary" not in message


@pytest.mark.parametrize("annotations", ["PromptAnnotations", "Annotations"])
@pytest.mark.parametrize("index", [7, "7"])
def test_both_spellings_of_rtp_lx_are_read(tmp_path, annotations, index):
    lines(tmp_path / "RTP_LX_EN.json", rtp(index, "One", **{annotations: {"Toxicity": 3.0}}))
    assert load("rtp_lx", "rtp_lx", tmp_path, ["en"])[0]["prompt_id"] == "rtp_lx-en-7"


def test_an_empty_prompt_and_a_repeated_one_are_named(tmp_path):
    lines(tmp_path / "RTP_LX_EN.json", rtp(1, "One"), rtp(2, " \n"))
    assert "has an empty prompt, 'rtp_lx-en-2'" in refused("rtp_lx", "rtp_lx", tmp_path, ["en"])
    lines(tmp_path / "RTP_LX_EN.json", rtp(1, "One"), rtp(1, "Two"))
    assert "has 'rtp_lx-en-1' of en twice" in refused("rtp_lx", "rtp_lx", tmp_path, ["en"])


@pytest.mark.parametrize("column", ["Prompt", "Index"])
def test_a_missing_rtp_lx_column_is_named(tmp_path, column):
    row = rtp(1, "One")
    del row[column]
    lines(tmp_path / "RTP_LX_EN.json", row)
    message = refused("rtp_lx", "rtp_lx", tmp_path, ["en"])
    assert message.startswith(f"{tmp_path / 'RTP_LX_EN.json'} has no column {column!r}; found are ")


def test_an_empty_rtp_lx_file_names_its_language(tmp_path):
    lines(tmp_path / "RTP_LX_EN.json")
    assert "has nothing in en" in refused("rtp_lx", "rtp_lx", tmp_path, ["en"])


# PolygloToxicityPrompts


@pytest.mark.parametrize("column", ["prompt", "text"])
def test_polyglotox_is_parquet_by_language_in_one_or_more_files(tmp_path, column):
    folder = tmp_path / "ptp-de"
    folder.mkdir()
    for n, texts in enumerate((["eins", "zwei"], ["drei"])):
        pd.DataFrame({column: texts, "toxicity": 0.5}).to_parquet(folder / f"small-0000{n}-of-00002.parquet")
    pd.DataFrame({column: ["no"]}).to_parquet(folder / "full-00000-of-00001.parquet")
    assert load("polyglotox", "polyglotox", tmp_path, ["de"]) == [
        {"prompt_id": f"polyglotox-de-{i}", "language": "de", "category": "", "style": "", "slot": "", "prompt": text}
        for i, text in enumerate(["eins", "zwei", "drei"])
    ]


def test_missing_polyglotox_files_are_named(tmp_path):
    message = refused("polyglotox", "polyglotox", tmp_path, ["de"])
    assert f"no file small*.parquet in {tmp_path / 'ptp-de'}" in message and "config ptp-de" in message


def test_a_missing_polyglotox_column_is_named(tmp_path):
    (tmp_path / "ptp-de").mkdir()
    file = tmp_path / "ptp-de" / "small.parquet"
    pd.DataFrame({"toxicity": [0.5]}).to_parquet(file)
    assert refused("polyglotox", "p", tmp_path, ["de"]) == f"{file} has no column 'text'; found are toxicity"


@pytest.mark.parametrize("language", ["sk", "sl", "lt", "lv"])
def test_a_language_that_polyglotox_does_not_have_is_named(tmp_path, language):
    message = refused("polyglotox", "p", tmp_path, [language])
    assert message.startswith(f"benchmark 'p': PolygloToxicityPrompts has no {language!r}; take it out")


# Bundled questions


@pytest.mark.parametrize(("name", "n"), [("benign", 40), ("fluency", 10)])
def test_the_bundled_questions_are_read_in_every_language(name, n):
    rows = load("questions", name, ROOT / "resources/miniature/languages", list(CODES))
    assert len(rows) >= 12 * n
    assert rows[0]["prompt_id"] == f"{name}-en-0"
    assert len({row["prompt_id"] for row in rows}) == len(rows)


def test_missing_questions_are_named_by_file_and_column(tmp_path):
    assert f"needs {tmp_path / 'en.yaml'}" in refused("questions", "benign", tmp_path, ["en"])
    (tmp_path / "en.yaml").write_text("benign: [{a: yes}]\n")
    assert refused("questions", "fluency", tmp_path, ["en"]) == (
        f"{tmp_path / 'en.yaml'} has no column 'fluency'; found are benign"
    )
    assert refused("questions", "benign", tmp_path, ["en"]) == f"{tmp_path / 'en.yaml'} has no column 'q'; found are a"


# Global MMLU


@pytest.mark.parametrize("layout", ["jsonl", "parquet"])
def test_global_mmlu_is_read_as_lines_or_as_released(tmp_path, layout):
    if layout == "jsonl":
        lines(tmp_path / "en.jsonl", QUESTION)
    else:
        (tmp_path / "en").mkdir()
        pd.DataFrame([QUESTION]).to_parquet(tmp_path / "en" / "test-00000-of-00001.parquet")
        pd.DataFrame([QUESTION]).to_parquet(tmp_path / "en" / "dev-00000-of-00001.parquet")
    kept = ("sample_id", "subject", "question", "option_a", "option_b", "option_c", "option_d", "answer")
    wanted = {"language": "en", "split": "test"} | {key: QUESTION[key] for key in kept}
    splits = {"jsonl": ["test"], "parquet": ["test", "dev"]}[layout]
    assert load("global_mmlu", "global_mmlu", tmp_path, ["en"]) == [wanted | {"split": split} for split in splits]


def test_the_split_dev_may_stand_beside_the_lines_and_is_not_the_benchmark(tmp_path):
    lines(tmp_path / "en.dev.jsonl", QUESTION | {"sample_id": "anatomy/dev/0"})
    assert "has nothing in en" in refused("global_mmlu", "g", tmp_path, ["en"])
    lines(tmp_path / "en.jsonl", QUESTION)
    assert [row["split"] for row in load("global_mmlu", "g", tmp_path, ["en"])] == ["test", "dev"]


def test_a_missing_global_mmlu_language_or_column_is_named(tmp_path):
    assert "has nothing in sk" in refused("global_mmlu", "global_mmlu", tmp_path, ["sk"])
    lines(tmp_path / "en.jsonl", {k: v for k, v in QUESTION.items() if k != "option_d"})
    message = refused("global_mmlu", "global_mmlu", tmp_path, ["en"])
    assert message.startswith(f"{tmp_path / 'en.jsonl'} has no column 'option_d'; found are sample_id")


def test_the_bundled_questions_are_in_the_released_schema():
    rows = load("global_mmlu", "global_mmlu", ROOT / "resources/miniature/global_mmlu", ["en", "pl"])
    assert {row["answer"] for row in rows} <= set("ABCD")


# Before the first job


@pytest.mark.parametrize(
    ("source", "wanted", "wrong", "right", "page"),
    [
        ("rtp_lx", "RTP-LX.zip or RTP_LX_*.json", "RTP-LX.rar", "RTP_LX_EN.json", "rtp_lx"),
        ("polyglotox", "ptp-*/small*.parquet", "small.parquet", "ptp-en/small-0.parquet", "rtp_lx"),
        ("questions", "*.yaml", "en.yml", "en.yaml", "benchmark"),
        ("global_mmlu", "*.jsonl or */test-*.parquet", "test-0.parquet", "en/test-0.parquet", "benchmark"),
    ],
)
def test_a_folder_that_is_missing_empty_or_holds_nothing_of_the_benchmark_is_named(
    tmp_path, source, wanted, wrong, right, page
):
    folder = tmp_path / "data"
    row = Benchmark("b", source, "harmful", ("en",), "", "chat", 9, (), str(folder), "local", "")
    for make in (lambda: None, folder.mkdir, (folder / wrong).touch):
        make()
        with pytest.raises(SystemExit) as stopped:
            check_benchmark(row)
        said = f"benchmark 'b' needs {wanted} in {folder}; put the data there, see docs/howto/{page}.md"
        assert str(stopped.value) == f"refuseu: {said}"
    (folder / right).parent.mkdir(exist_ok=True)
    (folder / right).touch()
    check_benchmark(row)
