"""Benchmarks with source table in a study: their YAML files fit their rows, and rules find what they read."""

import csv
import shutil

import pytest
import yaml

from refuseu.errors import UserError
from refuseu.runner.preflight import check_benchmark
from refuseu.study.selection import Selection
from refuseu.study.study import Study
from refuseu.study.tables import files_there, needed
from refuseu.study.wiring import Wiring
from support.helpers import CODES, ROOT

MINE = {
    "benchmark": "mine", "source": "table", "kind": "benign", "languages": "en", "parallel": "", "mode": "chat",
    "max_new_tokens": "8", "models": "base", "repository": "my/data", "revision": "local", "note": "",
}  # fmt: skip
READ = {"files": "data.csv", "prompt": "text"}


def study(config, folder, row, table):
    """A study with one benchmark more."""
    tables = folder / "tables"
    shutil.copytree(ROOT / "config/tables", tables)
    if table is not None:
        (tables / "mine.yaml").write_text(yaml.safe_dump(table))
    with open(config["sheets"]["benchmarks"], encoding="utf-8", newline="") as stream:
        header, *rows = list(csv.reader(stream, delimiter="\t"))
    with open(folder / "benchmarks.tsv", "w", encoding="utf-8", newline="") as out:
        csv.writer(out, delimiter="\t", lineterminator="\n").writerows([header, *rows, list((MINE | row).values())])
    config["sheets"] |= {"benchmarks": str(folder / "benchmarks.tsv"), "tables": str(tables)}
    return Study(config, "my.yaml")


@pytest.mark.parametrize(
    ("row", "table", "expected"),
    [
        ({}, None, "yaml does not exist; write it, as benchmark 'mine' has source table (see docs/howto/benchmark.md)"),
        ({}, {"files": "data.csv"}, "the key 'prompt' is missing; add it"),
        ({}, READ | {"promt": "x"}, "unknown key 'promt'; did you mean 'prompt'?"),
        ({}, READ | {"header": "no"}, "key header: 'no' does not fit"),
        ({}, READ | {"sha256": {"data.csv": "abc"}}, "expected: 64 hex digits"),
        ({}, READ | {"sha256": {"../data.csv": "a" * 64}}, "key sha256"),
        ({"languages": "all"}, READ, "does not say where the language is; name a column (language), write {language}"),
        ({"languages": "en,de"}, READ | {"prompt": {"en": "text"}}, "key prompt: no column for 'de', a language of"),
        (
            {"languages": "en,de", "parallel": "yes"},
            READ | {"language": "lang"},
            "has no key id, which translations that benchmark 'mine' calls parallel must share",
        ),
        (
            {"revision": "sha256", "repository": "https://example.org/x"},
            READ,
            "has no key sha256, and benchmark 'mine' is fetched from https://example.org/x; add each file",
        ),
        ({"revision": "sha256"}, READ, "key repository: 'my/data' does not fit"),
        (
            {"revision": "sha256", "source": "questions", "repository": "https://example.org/x"},
            READ,
            "key source: 'questions' does not fit",
        ),
        (
            {"kind": "knowledge", "mode": "multiple_choice"},
            READ,
            "key kind: 'knowledge' does not fit",
        ),
    ],
)
def test_a_table_that_does_not_fit_its_row_is_named_before_any_job(paper, tmp_path, row, table, expected):
    with pytest.raises(UserError) as error:
        study(paper, tmp_path, row, table)
    assert expected in str(error.value) and "\n" not in str(error.value)


def test_a_benchmark_reads_the_files_that_its_table_names_and_no_other(paper, tmp_path):
    folder = tmp_path / "data"
    for name in ("de/a_1.csv", "de/b.csv", "en/a.csv", "fr/a.csv"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    row = {"languages": "en,de", "repository": str(folder)}
    found = study(paper, tmp_path, row, {"files": "{language}/a*.csv", "prompt": "text"})
    wiring, wildcards = Wiring(found), {"benchmark": "mine"}
    assert wiring.benchmark_input(wildcards) == [f"{folder}/de/a_1.csv", f"{folder}/en/a.csv"]
    assert wiring.benchmark_row(wildcards) == {
        "source": "table", "name": "mine", "languages": ["en", "de"], "path": str(folder),
        "table": {"files": "{language}/a*.csv", "prompt": "text"},
    }  # fmt: skip
    assert "table" not in wiring.benchmark_row({"benchmark": "rtp_lx"})


def test_a_benchmark_from_a_url_is_downloaded_and_its_digests_decide_nothing_else(paper, tmp_path):
    row = {"revision": "sha256", "repository": "https://example.org/x"}
    wiring = Wiring(study(paper, tmp_path, row, READ | {"sha256": {"data.csv": "a" * 64}}))
    wildcards = {"benchmark": "mine"}
    assert wiring.benchmark_input(wildcards) == "<study>/download_benchmark/mine"
    assert wiring.pinned(wildcards) == {"url": "https://example.org/x", "files": {"data.csv": "a" * 64}}
    assert wiring.benchmark_row(wildcards)["table"] == READ
    assert wiring.benchmark_row(wildcards)["path"] is None


def test_a_benchmark_from_the_hub_is_fetched_as_any_other(paper, tmp_path):
    wiring = Wiring(study(paper, tmp_path, {"revision": "a" * 40, "repository": "org/data"}, READ))
    assert wiring.benchmark_input({"benchmark": "mine"}) == "<study>/fetch_benchmark/mine.json"


def test_a_folder_without_the_files_stops_the_run(paper, tmp_path):
    found = study(paper, tmp_path, {"repository": str(tmp_path / "none")}, READ)
    row = found.benchmarks["mine"]
    with pytest.raises(SystemExit, match=r"benchmark 'mine' needs data\.csv in .*none; put the data there"):
        check_benchmark(row, needed(found.tables["mine"], row))


def test_all_ready_rows_can_be_copied_into_the_papers_sheet(paper, tmp_path):
    lines = (ROOT / "config/more_benchmarks.tsv").read_text(encoding="utf-8").split("\n", 1)[1]
    sheet = tmp_path / "benchmarks.tsv"
    sheet.write_text((ROOT / "config/benchmarks.tsv").read_text(encoding="utf-8") + lines, encoding="utf-8")
    paper["sheets"]["benchmarks"] = str(sheet)
    found = Study(paper, "my.yaml")
    assert {"xstest_safe", "polyrefuse_harmful", "multijail", "xsafety", "strongreject", "pku_saferlhf"} < set(
        found.tables
    )
    assert found.benchmarks_of("benign") == ["borderline", "xstest_safe", "polyrefuse_harmless"]
    shown = Selection(found).further("outcomes_table")  # tables average no two benchmarks
    assert {benchmark for _, benchmark in shown} == {"borderline", "fluency"}
    assert "xstest_safe" not in Selection(found).benchmarks("open_question")


def test_the_papers_own_prompts_are_there_in_all_languages(paper):
    found = Study(paper)
    for name in ("borderline", "fluency"):
        assert files_there(found.tables[name], found.benchmarks[name]) == [f"resources/prompts/{name}.tsv"]
        assert found.benchmarks[name].languages == CODES
