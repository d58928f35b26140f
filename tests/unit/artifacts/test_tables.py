"""Tables: numbers, layout, Markdown and LaTeX, published numbers, several seeds."""

import pandas as pd
import pytest

from refuseu import safe
from refuseu.analysis import cells as analysis
from refuseu.analysis.estimates import INTERVAL
from refuseu.analysis.published import read_published
from refuseu.analysis.runs import in_tables
from refuseu.artifacts import dataset, judges, names, order, safety, tables
from refuseu.artifacts.declared import NAMED
from refuseu.records import write_jsonl
from support.helpers import ROOT

GROUPS = {"high_resource": ["en"], "low_resource": ["pl"]}
MODELS = {
    "small": {"base": "small", "variant": "abliterated", "method": "base", "seed": ""},
    "small-balanced-s1": {"base": "small", "variant": "balanced", "method": "dpo", "seed": 1},
    "small-balanced-s2": {"base": "small", "variant": "balanced", "method": "dpo", "seed": 2},
    "small-single_pl-s1": {"base": "small", "variant": "single_pl", "method": "dpo", "seed": 1},
    "open_a": {"base": "", "variant": "open_a", "method": "open", "seed": ""},
}


def measured(*rows):
    columns = ["base", "variant", "seed", "benchmark", "metric", "category", "language", *INTERVAL]
    return pd.DataFrame(
        [(b, v, s, "refuseu_test", "asr", "all", code, x, x - 0.1, x + 0.1, 10) for b, v, s, code, x in rows],
        columns=columns,
    )


METRICS = measured(("small", "balanced", "1", "en", 0.2), ("small", "balanced", "2", "en", 0.4))
WHERE = {"benchmark": "refuseu_test", "metric": "asr"}


@pytest.mark.parametrize(
    ("value", "arguments", "text"),
    [
        (0.12345, {"scale": 100}, "12.35"),
        (-0.5, {"digits": 1}, "−0.5"),
        (0.5, {"digits": 1, "sign": True}, "+0.5"),
        (-0.001, {"digits": 1, "sign": True}, "0.0"),
        (float("nan"), {}, ""),
    ],
)
def test_number(value, arguments, text):
    assert tables.number(value, **arguments) == text


def test_seeds_are_averaged_and_their_spread_kept():
    cells = analysis.cells(METRICS, [("small", "balanced")], GROUPS, **WHERE).set_index("language")
    assert cells.loc["en", "value"] == pytest.approx(0.3)
    assert cells.loc["en", "spread"] == pytest.approx(0.02**0.5)
    assert (cells.loc["en", "seeds"], cells.loc["en", "n"]) == (2, 10)


def test_missing_runs_and_languages_are_empty_cells():
    runs = order.runs(MODELS, in_tables)
    assert runs == [("small", "abliterated"), ("small", "balanced")]
    cells = analysis.cells(METRICS, runs, GROUPS, **WHERE)
    assert len(cells) == 2 * 5
    assert cells["value"].notna().sum() == 1
    page = tables.layout(cells, tables.with_published(cells), ["language"], ["base", "variant"])
    assert list(page.index) == [
        "English",
        "High-resource average",
        "Polish",
        "Low-resource average",
        "Average",
    ]
    assert page.loc["English"].tolist() == ["", "30.00 ± 14.14"]
    assert set(page.loc["Polish"]) == {""}


def published_file(tmp_path, base):
    path = tmp_path / "published.csv"
    path.write_text(
        "artifact,benchmark,base,variant,language,metric,value,unit,certainty,source,note\n"
        f"table1,refuseu_test,{base},balanced,en,asr,3.5,percent,read,paper,\n"
        f"table1,refuseu_test,{base},balanced,pl,asr,,percent,,paper,not recovered\n"
    )
    return path


def test_published_numbers_stand_beside_the_base_at_the_same_place(tmp_path):
    published = read_published([published_file(tmp_path, "8b")], MODELS)
    cells = analysis.cells(METRICS, [("small", "balanced")], GROUPS, published, **WHERE)
    assert cells.set_index("language")["published"]["en"] == pytest.approx(0.035)
    assert tables.with_published(cells).tolist() == ["30.00 ± 14.14 (3.50)", "", "", "", ""]


def test_published_numbers_follow_the_name_of_the_base_where_it_is_the_papers(tmp_path):
    models = {"70b": {"base": "70b", "variant": "abliterated", "method": "base", "seed": ""}}
    assert read_published([published_file(tmp_path, "8b")], models)["base"].tolist() == ["8b", "8b"]
    assert read_published([published_file(tmp_path, "70b")], models)["base"].tolist() == [
        "70b",
        "70b",
    ]


def test_markdown_and_latex():
    page = pd.DataFrame(
        [["1.0", "2.0 ± 0.1"], ["3.0", ""]],
        index=pd.Index(["English", "Average"], name="language"),
        columns=pd.MultiIndex.from_tuples([("small", "Balanced"), ("small", "No_English")]),
    )
    assert tables.as_page(page, ["Average"]).markdown() == (
        "| Language | small Balanced | small No_English |\n"
        "| :-- | --: | --: |\n"
        "| English | 1.0 | 2.0 ± 0.1 |\n"
        "| **Average** | **3.0** |  |\n"
    )
    text = tables.latex(page, "ASR [%]", ["Average"])
    assert r"\caption{ASR [\%]}" in text
    assert r" & \multicolumn{2}{c}{small} \\" in text
    assert r"\cmidrule(lr){2-3}" in text
    assert r"Language & Balanced & No\_English \\" in text
    assert r"English & 1.0 & 2.0 $\pm$ 0.1 \\" in text
    assert r"\textbf{Average} & \textbf{3.0} &  \\" + "\n" + r"\bottomrule" in text


def test_write_makes_the_same_bytes_twice(tmp_path):
    cells = analysis.cells(METRICS, [("small", "balanced")], GROUPS, **WHERE)
    for folder in ("one", "two"):
        outputs = {suffix: str(tmp_path / folder / f"t.{suffix}") for suffix in ("csv", "md", "tex", "json")}
        tables.write(tables.by_language(cells, "A title", "A note."), outputs)
    for suffix in ("csv", "md", "tex", "json"):
        assert (tmp_path / f"one/t.{suffix}").read_bytes() == (tmp_path / f"two/t.{suffix}").read_bytes()
    assert pd.read_csv(tmp_path / "one/t.csv").columns.tolist() == [*analysis.CELL, "group"]
    assert (tmp_path / "one/t.md").read_text().endswith("\nA note.\n")


def test_transfer_rows_are_single_language_runs_in_table_order():
    trained_on = {
        "small-balanced-s1": ["en", "pl"],
        "small-balanced-s2": ["en", "pl"],
        "small-single_pl-s1": ["pl"],
    }
    runs = order.transfer_runs(MODELS, trained_on, GROUPS)
    assert runs == [("small", "abliterated"), ("small", "single_pl")]


def test_funnel_totals_and_published_sizes(tmp_path):
    funnel, published = tmp_path / "funnel.csv", tmp_path / "published.csv"
    funnel.write_text("language,step,n\nen,train,5\npl,train,6\n")
    published.write_text(
        "artifact,benchmark,base,variant,language,metric,value,unit,certainty,source,note\n"
        "funnel,dataset,,,en,train,2889,rows,paper,\n"
    )
    cells = dataset.funnel_cells(funnel, published, GROUPS).set_index("language")
    assert cells["value"].to_dict() == {"en": 5, "pl": 6, "total": 11}
    assert cells.loc["en", "published"] == 2889
    assert pd.isna(cells.loc["total", "published"])


def test_judges_are_pooled_over_languages_and_kappa_stands_by_itself(tmp_path):
    path = tmp_path / "judge_accuracy.csv"
    path.write_text(
        "judge,task,language,correct,n,value\n"
        "a,prompt,en,9,10,0.9\n"
        "a,prompt,pl,20,30,0.6667\n"
        "a × b,kappa,en,,40,\n"
        "a × b,kappa,all,,80,0.5\n"
    )
    cells = judges.judge_cells(path, GROUPS, 0.95).set_index(["task", "language"])
    assert cells.loc[("prompt", "all"), "value"] == pytest.approx(29 / 40)
    assert cells.loc[("prompt", "en"), "ci_high"] == pytest.approx(0.9821, abs=1e-4)  # Wilson, 9 of 10
    assert cells.loc[("kappa", "all"), "value"] == 0.5
    assert cells["value"].isna().sum() == 2  # kappa undefined in en, not there in pl
    assert safe.latex("a × b") == r"a $\times$ b"


def test_agreement_has_intervals_and_the_number_of_prompts_beside_each_pair(tmp_path):
    (tmp_path / "agreement.csv").write_text(
        "judge_a,judge_b,language,metric,value,ci_low,ci_high,n,clusters,unparsed\n"
        "a,b,en,kappa,0.5,0.25,0.75,40,8,1\na,b,en,ac1,,,,40,8,1\na,b,en,agreement,0.9,0.8,0.95,40,8,1\n"
        "a,c,en,kappa,-0.1,-0.2,0.004,38,8,3\na,c,en,ac1,0.6,0.5,0.7,38,8,3\na,c,en,agreement,0.7,0.6,0.8,38,8,3\n"
    )
    table = judges.agreement_table(str(tmp_path / "agreement.csv"), {})
    assert table.note.startswith("On the n generated prompts that both judges call safe or unsafe")
    cells = judges.agreement_cells(tmp_path / "agreement.csv")
    assert list(zip(cells["judges"], cells["metric"], tables.with_interval(cells), strict=True)) == [
        ("a × b", "kappa", "0.50 [0.25, 0.75]"),
        ("a × b", "ac1", ""),
        ("a × b", "agreement", "0.90 [0.80, 0.95]"),
        ("a × b", "n", "40"),
        ("a × c", "kappa", "−0.10 [−0.20, 0.00]"),
        ("a × c", "ac1", "0.60 [0.50, 0.70]"),
        ("a × c", "agreement", "0.70 [0.60, 0.80]"),
        ("a × c", "n", "38"),
    ]


@pytest.mark.parametrize(
    ("key", "text"),
    [("english_only", "English-only"), ("simpo", "SimPO"), ("open_a", "open a"), ("single_pl", "Polish-only")],
)
def test_names_of_variants(key, text):
    assert names.name("variant", key) == text


def test_the_slots_of_the_test_are_counted_per_category_and_in_the_funnels_note(tmp_path):
    def half(name, *rows):
        records = [dict(zip(("category", "style", "slot", "language"), row, strict=True)) for row in rows]
        write_jsonl(tmp_path / name, records)
        return str(tmp_path / name)

    test = half(
        "test.jsonl", ("S1", "slang", "S1/slang", "en"), ("S1", "slang", "S1/slang", "en"),
        ("S1", "slang", "S1/slang", "pl"), ("S1", "lyrics", "S1/lyrics", "en"), ("S10", "slang", "S10/slang", "pl"),
    )  # fmt: skip
    train = half("train.jsonl", ("S1", "rumour", "S1/rumour", "en"), ("S2", "slang", "S2/slang", "en"))
    table = dataset.test_slots(train, test)
    found = table.cells.set_index(["category", "metric"])["value"]
    assert list(dict.fromkeys(table.cells["category"])) == ["S1", "S10"]
    assert found["S1"].to_dict() == {
        "test_slots": 2, "test_styles": 2, "train_slots": 1, "most_of_one_slot": 2, "test_prompts": 4
    }  # fmt: skip
    assert table.note.startswith("3 slots in all.")
    (tmp_path / "funnel.csv").write_text("language,step,n\nen,train,1\npl,train,0\n")
    funnel = dataset.funnel_table(
        str(tmp_path / "funnel.csv"), test, str(ROOT / "resources/published/funnel.csv"), GROUPS
    )
    assert "The test rests on 3 slots, 1 to 2 per category." in funnel.note


def test_answers_that_were_cut_stand_beside_the_asr_that_does_not_count_them(tmp_path):
    rows = measured(*[("small", "balanced", seed, code, 0.2) for seed in ("1", "2") for code in ("en", "pl", "all")])
    rows = rows.assign(model=[f"small-balanced-s{seed}" for seed in rows["seed"]], method="dpo", style="all")
    cut = rows.assign(metric="cut_rate", value=[0.5 if seed == "1" else 0.0 for seed in rows["seed"]])
    runs = {model: labels for model, labels in MODELS.items() if labels["variant"] == "balanced"}
    for shares, note in ((cut, "Balanced (small) 25.0. "), (cut.assign(value=0.0), "")):
        file = tmp_path / "measures.csv"
        pd.concat([rows, shares]).to_csv(file, index=False)
        table = safety.asr_table([str(file)], runs, GROUPS, "ASR", "The note.")
        assert ("cut_rate" in table.cells) == bool(note)
        for shown in (table, safety.asr_by([str(file)], runs, "category")):  # what the note says of seeds is there
            assert ("±" in shown.note) == any("±" in text for text in shown.text)
        assert table.note.endswith(f"{note}The note.") and ("cut inside their reasoning" in table.note) == bool(note)
        for other in (safety.asr_by([str(file)], runs, "category"), safety.table2([str(file)], runs, GROUPS, {})):
            assert (note in other.note) and ("cut inside their reasoning" in other.note) == bool(note)


def test_answers_without_a_verdict_stand_beside_the_asr_and_languages_without_any_are_named(tmp_path):
    runs = {model: labels for model, labels in MODELS.items() if labels["variant"] == "balanced"}
    rows = measured(
        *[("small", "balanced", seed, code, 0.2) for seed in ("1", "2") for code in ("en", "high_resource")],
        *[("small", "balanced", seed, code, float("nan")) for seed in ("1", "2") for code in ("pl", "all")],
    )
    rows = rows.assign(model=[f"small-balanced-s{seed}" for seed in rows["seed"]], method="dpo", style="all")
    shares = {"en": 0.25, "high_resource": 0.25, "pl": 1.0, "all": 0.625}
    unparsed = rows.assign(metric="unparsed_rate", value=rows["language"].map(shares))
    part = rows[rows["language"].isin(["all", "en"])].assign(category="S9", value=float("nan"))
    file = str(tmp_path / "measures.csv")
    pd.concat([rows, unparsed, part]).to_csv(file, index=False)
    table = safety.asr_table([file], runs, GROUPS, "ASR", "The note.")
    shown = table.cells.set_index("language")
    assert shown["unparsed_rate"].to_dict() == pytest.approx(shares | {"low_resource": float("nan")}, nan_ok=True)
    assert dict(zip(shown.index, table.text, strict=True)) == {
        "en": "20.00 ± 0.00", "high_resource": "20.00 ± 0.00", "pl": "", "low_resource": "", "all": ""
    }  # fmt: skip
    left_out = "no verdict on them could be read [% of the answers that were not cut]: Balanced (small) 62.5. "
    lost = "could be read, or all answers were cut: Balanced (small): Polish"
    assert f"{left_out}Empty, as is every average over it, because no verdict or rating there {lost}. " in table.note
    assert lost in safety.outcomes_table([file], [file], runs, {"harmful": "a", "benign": "b"}).note
    by_category = safety.asr_by([file], runs, "category")
    assert f"{lost}, English in S9. " in by_category.note and left_out in by_category.note
    assert "" in list(by_category.text)


def test_languages_without_a_safe_answer_are_named_where_refusals_among_safe_ones_are(tmp_path):
    runs = {model: labels for model, labels in MODELS.items() if labels["variant"] == "balanced"}
    rows = measured(
        *[("small", "balanced", "1", code, value) for code, value in (("en", 1.0), ("pl", 0.5), ("all", 0.75))]
    )
    rows = rows.assign(model="small-balanced-s1", method="dpo", style="all")
    rows.to_csv(tmp_path / "measures.csv", index=False)
    table = safety.outcomes_table(
        [str(tmp_path / "measures.csv")], [str(tmp_path / "measures.csv")], runs, {"harmful": "a", "benign": "b"}
    )
    assert "averages languages with safe answers, so not Balanced (small): English. " in table.note
    assert "Guards differ: or neither of their labels could be read" in table.note


def test_unparsed_labels_of_the_pilot_have_a_column_where_there_are_any(tmp_path):
    guards = [tmp_path / f"guards/{guard}.jsonl" for guard in "ab"]
    prompts = [{"prompt_id": f"{code}-S1-slang-{n}", "language": code, "detected": code}
               for code in ("en", "pl") for n in range(2)]  # fmt: skip
    write_jsonl(tmp_path / "writer.jsonl", prompts)
    for said, metrics in ((["safe"] * 4, ["language_consistency", "unsafe_rate"]),
                          (["unsafe", "unparsed", "unparsed", "unparsed"],
                           ["language_consistency", "unsafe_rate", "unparsed_rate"])):  # fmt: skip
        for guard, labels in zip(guards, (said, ["unsafe"] * 4), strict=True):
            rows = [row | {"generator": "writer", "label": label} for row, label in zip(prompts, labels, strict=True)]
            write_jsonl(guard, rows)
        table = dataset.table6(
            [str(tmp_path / "writer.jsonl")], list(map(str, guards)),
            str(ROOT / "resources/published/table6_pilot.csv"), ["writer"], GROUPS, {"confidence": 0.95},
        )  # fmt: skip
        found = table.cells.set_index(["language", "metric"])["value"]
        assert list(dict.fromkeys(table.cells["metric"])) == metrics
        assert ("Unparsed: " in table.note) == (len(metrics) == 3)
    assert found["en", "unsafe_rate"] == 1 and found["en", "unparsed_rate"] == 1 / 2
    assert found["all", "unparsed_rate"] == 3 / 4
    assert found[[("pl", "unsafe_rate"), ("all", "unsafe_rate")]].isna().all()


def test_slots_and_styles_that_the_released_dataset_does_not_say_are_empty_and_not_counted(tmp_path):
    """Its pairs have no slot, its prompts no style; their slot is the row_id."""
    test = [{"category": "S1", "style": "", "slot": str(n), "language": "en"} for n in (1, 2)]
    write_jsonl(tmp_path / "test.jsonl", test)
    write_jsonl(tmp_path / "train.jsonl", [{"category": "S1", "style": "", "language": "en"}])
    table = dataset.test_slots(str(tmp_path / "train.jsonl"), str(tmp_path / "test.jsonl"))
    texts = dict(zip(table.cells["metric"], table.text, strict=True))
    assert texts == {
        "test_slots": "2", "test_styles": "", "train_slots": "", "most_of_one_slot": "1", "test_prompts": "2"
    }  # fmt: skip
    assert "never in both halves" not in table.note


def test_table_1_says_that_the_order_of_published_columns_is_uncertain_as_long_as_the_file_does():
    published = pd.read_csv(ROOT / "resources/published/table1_asr_refuseu_test.csv")
    note = NAMED["table1"].says["note"]
    assert (published["certainty"] == "order uncertain").any() == ("order" in note and "uncertain" in note)
