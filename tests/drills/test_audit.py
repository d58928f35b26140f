"""The manual audit for real: sheets are drawn, one comes back, and its table is made."""

import csv
import json

import pytest

from support.helpers import CODES, Checkout

MINIATURE = ("--profile", "miniature")
RESULTS = "results/miniature"


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture(scope="module")
def audited(tmp_path_factory):
    """A copy of the repository with the results that sheets are drawn from."""
    made = Checkout(tmp_path_factory.mktemp("audited"))
    made.overlay("cold.yaml", {"warm_workers": False})
    results = made.folder / RESULTS
    pairs = [
        {"pair_id": f"{code}-{n}", "language": code, "category": f"S{n}", "activity": "", "style": "",
         "prompt": f"P {n}", "chosen": [{"content": "No."}], "rejected": [{"content": "Yes."}]}
        for code in CODES for n in range(1, 11)
    ]  # fmt: skip
    write(results / "split_pairs/train.jsonl", pairs[::2])
    write(results / "split_pairs/test.jsonl", pairs[1::2])
    write(results / "translate_seeds/seeds.jsonl", [])
    for model in ("small-balanced-s1", "small-english_only-s1"):
        said = [{"prompt_id": pair["pair_id"], "language": pair["language"], "response": "No."} for pair in pairs]
        write(results / f"generate/{model}/refuseu_test.jsonl", said)
    return made


def run(made, *targets):
    configs = ("--configfile", "config/miniature/config.yaml", "cold.yaml")
    only = ("--allowed-rules", "audit_sheet", "audit", "table8")
    return made.snakemake(*MINIATURE, "-c1", *configs, *only, "--", *targets)


def test_from_the_sheet_to_the_table(audited):
    ended = run(audited, "audit_sheet")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    sheets = audited.folder / RESULTS / "audit_sheet"
    assert {path.name for path in sheets.iterdir()} == {f"{c}.{s}" for c in CODES for s in ("csv", "html")} | {
        "key.jsonl"
    }
    with open(sheets / "pl.csv", encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 4 + 2 * 4
    assert {row["style_adherence"] for row in rows} == {"not asked"}  # these pairs have no style
    for row in rows:
        row["annotator"] = "Ann"
        row |= {question: "yes" for question in ("chosen_is_safe_refusal", "topic_relevance") if not row[question]}
        row["verdict"] = row["verdict"] or "safe"
    back = audited.folder / "resources/audit/miniature/Ann"
    back.mkdir(parents=True)
    with open(back / "pl.csv", "w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(rows)
    (back / ".DS_Store").write_bytes(b"\0")

    assert {"audit", "audit_sheet", "split_pairs"} <= set(audited.jobs("table8", *MINIATURE, "--forceall"))
    ended = run(audited, "table8")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    table = (audited.folder / RESULTS / "tables/table8_audit.md").read_text()
    assert "| Polish | 100.0 [51.0, 100.0] | 100.0 [51.0, 100.0] |  |" in table
    assert "| Lowest | 100.0 (100) | 100.0 (99) | – (61) |" in table
    verdicts = (audited.folder / RESULTS / "audit/verdicts.jsonl").read_text().splitlines()
    assert len(verdicts) == 8
    assert json.loads(verdicts[0])["verdict"] == "safe"

    (back / "notes.txt").write_text("x")
    ended = run(audited, "table8")
    assert ended.returncode == 1
    assert "audit: resources/audit/miniature/Ann/notes.txt is no returned sheet" in ended.stdout + ended.stderr
