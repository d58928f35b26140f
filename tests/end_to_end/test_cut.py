"""The whole study on three languages: every artifact, trained weights, the report, reruns."""

import itertools
import json
import re
import zipfile

import pandas as pd
import pytest
from safetensors.numpy import load_file

from refuseu.artifacts.declared import ARTIFACTS
from refuseu.dataset.released import read as read_released
from refuseu.layouts import kinds, misfits
from support.browser import CHROMIUM, Browser
from support.recompute import Results

TABLES, FIGURES = (
    sum(one.kind == kind and one.when not in ("held_out", "asked") for one in ARTIFACTS) for kind in ("table", "figure")
)
NUMBERED = {"10", "11", "12", "2", "3", "4", "6", "7", "8"}
PER_CATEGORY = 1
COMPLAINTS = {"Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown"}


def read(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_every_artifact_exists_and_is_well_formed(undisturbed):
    tables, figures = undisturbed.results / "tables", undisturbed.results / "figures"
    assert len(list(tables.glob("*.csv"))) == TABLES
    for table in tables.glob("*.csv"):
        assert len(pd.read_csv(table).columns) > 1, table
        assert table.with_suffix(".md").read_text(encoding="utf-8").count("|") > 4
        assert r"\toprule" in table.with_suffix(".tex").read_text(encoding="utf-8")
    assert len(list(figures.glob("*.pdf"))) == FIGURES
    for figure in figures.glob("*.pdf"):
        assert figure.read_bytes().startswith(b"%PDF")
        assert b"<svg" in figure.with_suffix(".svg").read_bytes()
        assert figure.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
        assert figure.with_suffix(".csv").exists()
    page = (undisturbed.results / "report.html").read_text(encoding="utf-8")
    assert page.count("<img") == FIGURES
    assert (undisturbed.results / "claims.csv").exists()


def test_the_run_said_a_line_per_stage_and_no_more(undisturbed):
    said = (undisturbed.folder / "run.log").read_text(encoding="utf-8").partition("refuseu: done, ")[0].splitlines()
    stages = [line for line in said if line.startswith("✓ ")]
    assert {"align", "generate", "judge", "tables", "figures", "report"} < {line.split()[1][:-1] for line in stages}
    assert len(said) < len(stages) + 10 < 60, said


def test_only_the_owner_enters_the_results(undisturbed):
    assert undisturbed.results.stat().st_mode & 0o777 == 0o700


def test_every_row_of_every_file_is_what_its_path_says(undisturbed):
    files = [path.relative_to(undisturbed.results).as_posix() for path in undisturbed.results.rglob("*.jsonl")]
    declared = {name: kinds(name) for name in files if not name.startswith(("journal/", "audit/"))}
    assert len(declared) > 50
    for name, possible in declared.items():
        wrong = [row for row in read(undisturbed.results / name) if all(misfits(row, kind) for kind in possible)]
        assert wrong == [], name


def test_every_adapter_moved(undisturbed):
    adapters = list(undisturbed.results.glob("align/*/adapter_model.safetensors"))
    assert len(adapters) == 5
    for adapter in adapters:
        weights = load_file(adapter)
        moved = [bool(tensor.any()) for name, tensor in weights.items() if "lora_B" in name]
        assert moved, adapter
        assert all(moved), adapter


def test_rewards_start_at_zero_and_grow(undisturbed):
    log = pd.read_csv(undisturbed.results / "align/small-balanced-s1/log.csv")
    assert log["reward_margin"].iloc[-1] > log["reward_margin"].iloc[0]
    assert log["loss"].iloc[-1] < 0.69


def test_the_consistency_loss_is_logged_with_the_cosine_of_the_raw_states(undisturbed):
    log = pd.read_csv(undisturbed.results / "align/small-english_only_mlc-s1/log.csv")
    assert log[["mlc_loss", "cosine"]].notna().any().all()


def test_verdicts_are_consistent_with_the_labels_of_the_guards(undisturbed):
    files = list(undisturbed.results.glob("adjudicate/*/*.jsonl"))
    assert files
    for file in files:
        model, benchmark = file.parent.name, file.stem
        verdicts = read(file)
        guards = [
            read(undisturbed.results / f"judge/{guard}/{model}/{benchmark}.jsonl") for guard in ("guard_a", "guard_b")
        ]
        for verdict, *labels in zip(verdicts, *guards, strict=True):
            said = {row["label"] for row in labels}
            if len(said) == 1:
                assert (verdict["decided_by"], verdict["verdict"]) == ("agreement", *said)
            else:
                assert verdict["decided_by"] == "adjudicator"
                assert verdict["labels"]["adjudicator"] == verdict["verdict"]


def test_no_slot_is_in_train_and_test(undisturbed):
    train, test = (read(undisturbed.results / f"split_pairs/{half}.jsonl") for half in ("train", "test"))
    assert {(r["category"], r["style"]) for r in train}.isdisjoint((r["category"], r["style"]) for r in test)
    counts = pd.DataFrame(test).groupby(["language", "category"]).size()
    assert (counts == PER_CATEGORY).all()
    assert len(counts) == 3 * 14


def test_the_funnel_adds_up_in_every_language(undisturbed):
    counts = pd.read_csv(undisturbed.results / "funnel/funnel.csv").pivot(index="language", columns="step", values="n")
    assert set(counts.index) == {"de", "en", "pl"}
    steps = ["generated", "uncut", "distinct", "no_near_duplicate", "right_language", "unsafe_by_guards",
             "uncut_answers", "answers_in_language", "chosen_safe", "rejected_unsafe", "paired"]  # fmt: skip
    assert set(counts) == {*steps, "train", "test", "left_out", "trimmed"}
    assert all((counts[a] >= counts[b]).all() for a, b in itertools.pairwise(steps))
    assert (counts["paired"] == counts[["train", "test", "left_out"]].sum(axis=1)).all()
    for half in ("train", "test"):
        rows = pd.DataFrame(read(undisturbed.results / f"split_pairs/{half}.jsonl"))
        assert rows["language"].value_counts().to_dict() == counts[half].to_dict()


def test_no_slot_and_no_equal_prompt_leaks_into_the_test(undisturbed):
    leaks = pd.read_csv(undisturbed.results / "tables/leakage.csv").set_index(["language", "benchmark", "metric"])
    total = leaks.loc[("total", "Test half")]
    assert total["n"].tolist() == [3 * 14 * PER_CATEGORY] * 3
    assert total.loc[["exact", "slot"], "count"].tolist() == [0, 0]
    assert {"rtp_lx", "polyglotox", "benign", "fluency", "global_mmlu"} < set(leaks.index.get_level_values(1))


def test_the_exported_dataset_is_read_back_as_it_was_built(undisturbed):
    undisturbed.run("dataset_card")
    train, test = read_released(undisturbed.results / "dataset_card", ["en", "de", "pl"], category_by_row_id=True)
    for half, found, keys in (
        ("train", train, ["pair_id", "category", "prompt", "chosen", "rejected"]),
        ("test", test, ["language", "category", "prompt"]),
    ):
        built = read(undisturbed.results / f"split_pairs/{half}.jsonl")
        assert [[row[key] for key in keys] for row in found] == [[row[key] for key in keys] for row in built]


def test_metrics_recompute_from_the_verdicts(undisturbed):
    metrics = pd.read_csv(undisturbed.results / "metrics/metrics.csv")
    for file in undisturbed.results.glob("adjudicate/*/refuseu_test.jsonl"):
        verdicts = pd.DataFrame(read(file))
        rows = metrics[(metrics["model"] == file.parent.name) & (metrics["benchmark"] == "refuseu_test")]
        rows = rows[(rows["metric"] == "asr") & (rows["category"] == "all")]
        for language, own in verdicts.groupby("language"):
            value = rows[rows["language"] == language]["value"].item()
            assert value == pytest.approx((own["verdict"] == "unsafe").mean(), abs=1e-6)


def test_a_second_run_does_nothing(undisturbed):
    assert "Nothing to be done" in undisturbed.run("-n")


def test_tables_and_figures_recompute_from_the_measures(undisturbed):
    assert Results(undisturbed.results).check() > 1000


def test_numbers_for_a_manuscript_are_there_and_filled(undisturbed):
    lines = (undisturbed.results / "tables/numbers.tex").read_text(encoding="utf-8").splitlines()[1:]
    found = dict(re.fullmatch(r"\\newcommand\{\\([A-Za-z]+)\}\{(.*)\}", line).groups() for line in lines)
    assert found["StudyLanguages"] == "3"
    assert re.fullmatch(r"\d+\.\d\d", found["AsrRefuseuTestSmallBalancedAll"])
    assert {name[: len("KappaPrompts")] for name in found} >= {"KappaPrompts", "CountDataset"}


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here; install Debian's package chromium")
def test_the_report_opens_from_disk_without_errors_or_requests(undisturbed, tmp_path):
    page = undisturbed.results / "report.html"
    browser = Browser(tmp_path)
    try:
        browser.open(page)
        assert [url for url in browser.requests() if not url.startswith("data:")] == [page.as_uri()]
        for width in (1200, 390):
            browser.ask("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=True)
            assert browser.js("document.documentElement.scrollWidth") <= width
        assert browser.js("[...document.images].every(image => image.naturalWidth > 200)")
        targets = browser.js("[...document.querySelectorAll('nav a')].map(link => link.getAttribute('href'))")
        assert {f"#fig{n}" for n in NUMBERED} | {"#table1", "#published_table", "#claims", "#run"} <= set(targets)
        assert browser.js("[...document.querySelectorAll('nav a')].every(link => document.querySelector(link.hash))")
        links = set(browser.js("[...document.querySelectorAll('section a')].map(link => link.getAttribute('href'))"))
        beside = {link for link in links if not link.startswith(("#", "../../docs/explanation/"))}
        assert all((undisturbed.results / link).is_file() for link in beside)
        assert browser.js("getComputedStyle(document.querySelector('#fig3-large')).position") == "static"
        browser.js("location.hash = 'fig3-large'")
        assert browser.js("getComputedStyle(document.querySelector('#fig3-large')).position") == "fixed"
        assert not browser.js("document.getElementById('examples')")  # off unless asked for
        assert [event for event in browser.events if event.get("method") in COMPLAINTS] == []
    finally:
        browser.close()


def test_all_answers_can_be_looked_through(undisturbed):
    undisturbed.run("answers")
    rows = pd.read_parquet(undisturbed.results / "answers/verdicts.parquet")
    files = list(undisturbed.results.glob("generate/*/*.jsonl"))
    assert len(rows) == sum(len(read(file)) for file in files)
    runs = {(file.parent.name, file.stem) for file in files}
    assert set(zip(rows["model"], rows["benchmark"], strict=True)) == runs
    assert all((undisturbed.results / f"answers/data/{model}/{benchmark}.js").is_file() for model, benchmark in runs)
    assert max(len(text.split()) for text in rows["response"]) == 7  # six words and a sign that there is more


def test_snakemakes_own_report_is_built_offline_with_sections_and_titles(undisturbed):
    ended = undisturbed.snakemake(*undisturbed.arguments("--report", "report.zip"))
    assert ended.returncode == 0, ended.stderr[-4000:]
    with zipfile.ZipFile(undisturbed.folder / "report.zip") as archive:
        names = archive.namelist()
        text = archive.read(next(name for name in names if name.endswith("report.html"))).decode()
    for part in ("The dataset", "Safety", "Table 1. ASR on RefusEU-test", "Figure 3. ASR on RefusEU-test"):
        assert part in text
    assert sum(name.endswith(".png") for name in names) >= len(NUMBERED)
