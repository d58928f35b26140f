"""Returned annotation sheets: what is refused, what is counted, how far annotators agree."""

import csv
import io
import json

import pandas as pd
import pytest

from refuseu.analysis import annotations
from refuseu.artifacts import dataset, tables
from refuseu.audit import returned
from refuseu.audit.sheet import COUNTED
from refuseu.errors import UserError

GROUPS = {"high_resource": ["en", "de"], "low_resource": ["pl"]}
STATISTICS = {"confidence": 0.95}
Q = ["chosen_is_safe_refusal", "topic_relevance", "style_adherence"]


def entry(item, language="en", questions=Q, model=""):
    judged = {"model": model, "benchmark": "refuseu_test", "prompt_id": f"p-{item}"} if model else {}
    place = {"pair_id": "" if model else f"p-{item}", "model": "", "benchmark": "", "prompt_id": ""} | judged
    return {
        "item": item,
        "language": language,
        "questions": questions,
        "category": "S1",
        "style": f"style {item}",
    } | place


KEY = [
    *(entry(f"i{n}") for n in range(1, 5)),
    entry("v1", questions=["verdict"], model="small"),
    entry("d1", "de"),
]


@pytest.fixture
def put(tmp_path):
    """Write a returned sheet and give its path."""

    def write(content, name="a.json"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def form(answers, annotator="Ann", language="en", study="mine"):
    rows = [{"item": item} | said for item, said in answers.items()]
    return json.dumps({"study": study, "language": language, "annotator": annotator, "answers": rows})


def spreadsheet(rows, delimiter=",", **changes):
    out = io.StringIO()
    columns = ["item", "study", "language", "annotator", "prompt", *Q, "verdict", "comment"]
    writer = csv.DictWriter(out, columns, delimiter=delimiter, restval="")
    writer.writeheader()
    for row in rows:
        writer.writerow({"study": "mine", "language": "en", "annotator": "Ann", "prompt": "a\nb"} | row | changes)
    return out.getvalue()


def answers(*paths):
    return returned.read_answers(paths, KEY, "mine")


def said(records):
    return {(row["annotator"], row["item"], row["question"]): row["answer"] for row in records}


# What is read


def test_a_form_and_a_spreadsheet_say_the_same(put):
    one = answers(put(form({"i1": {"topic_relevance": "yes", "comment": "fine"}, "v1": {"verdict": "unsafe"}})))
    rows = [{"item": "i1", "topic_relevance": "yes", "verdict": "not asked", "comment": "fine"},
            {"item": "v1", "verdict": " Unsafe ", "topic_relevance": "not asked"}]  # fmt: skip
    for delimiter in ",;\t":
        assert answers(put("\ufeff" + spreadsheet(rows, delimiter), f"b{ord(delimiter)}.csv")) == one
    assert said(one) == {("Ann", "i1", "topic_relevance"): "yes", ("Ann", "v1", "verdict"): "unsafe"}
    assert (one[0]["pair_id"], one[0]["category"], one[0]["comment"]) == ("p-i1", "S1", "fine")


def test_one_name_is_enough_for_a_spreadsheet_and_empty_rows_are_nothing(put):
    text = spreadsheet([{"item": "i1", "topic_relevance": "yes"}]) + ",,,,,,,,,\r\n"
    rows = text + spreadsheet([{"item": "i2", "topic_relevance": "no", "annotator": ""}]).partition("\n")[2]
    assert [row["annotator"] for row in answers(put(rows, "a.csv"))] == ["Ann", "Ann"]


def test_several_annotators_and_languages(put):
    files = [
        put(form({"i1": {"topic_relevance": "yes"}}), "1.json"),
        put(form({"i1": {"topic_relevance": "no"}}, "Bob"), "2.json"),
        put(form({"d1": {"topic_relevance": "yes"}}, language="de"), "3.json"),
    ]
    assert [(r["language"], r["annotator"], r["answer"]) for r in answers(*files)] == [
        ("en", "Ann", "yes"), ("en", "Bob", "no"), ("de", "Ann", "yes")
    ]  # fmt: skip


# What is refused

ROW = {"item": "i1", "topic_relevance": "yes"}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.xlsx", "x", r"a\.xlsx is no returned sheet; leave only \.json"),
        ("a.json", "{", r"a\.json, line 1 is not JSON"),
        ("a.json", b'{"study": "\xff"}', r"a\.json is not UTF-8"),
        ("a.json", "[]", r"a\.json: \[\] does not fit"),
        ("a.json", '{"study": "mine", "language": "en", "answers": []}', r"a\.json: the key 'annotator' is missing"),
        ("a.json", form({"i1": {"topics": "yes"}}), r"key answers\.0: unknown key 'topics'"),
        ("a.json", form({"i1": {"topic_relevance": True}}), r"key answers\.0\.topic_relevance: True does not fit"),
        ("a.json", form({}, annotator=" "), r"a\.json names no annotator; write it into 'annotator'"),
        ("a.json", form({"i1": {}}), r"a\.json has no answers; fill it in or take it out"),
        ("a.json", form({"i1": {}}, study="other"), r"is a sheet of study 'other', not 'mine'"),
        ("a.json", form({"x9": {"verdict": "safe"}}), r"a\.json, answer 1: no sheet of this study has the item 'x9'"),
        ("a.json", form({"i1": {"topic_relevance": "maybe"}}), r"answer 1: 'maybe' is no answer to 'topic_relevance'"),
        ("a.json", form({"i1": {"topic_relevance": "unsur"}}), r"did you mean 'unsure'\?"),
        ("a.json", form({"i1": {"verdict": "safe"}}), r"'verdict' is not asked of this item, but answered 'safe'"),
        ("a.json", form({"d1": {"topic_relevance": "yes"}}), r"item 'd1' is on the sheet of 'de', but .* says 'en'"),
        ("a.csv", "item,study\ni1,mine\n", r"a\.csv has no column 'language'"),
        ("a.csv", "", r"a\.csv has no column 'item'"),
        ("a.csv", spreadsheet([ROW], annotator=""), r"a\.csv names no annotator"),
        ("a.csv", spreadsheet([ROW, {"item": "i2", "annotator": "Bob"}]), r"two values of 'annotator', 'Ann' and 'Bob"),
        ("a.csv", spreadsheet([ROW, {"item": "d1", "language": "de"}]), r"two values of 'language', 'en' and 'de'"),
        ("a.csv", spreadsheet([ROW, ROW]), r"a\.csv, row 3: 'Ann' has already answered item 'i1' in .*a\.csv, row 2"),
        ("a.csv", spreadsheet([ROW, {"item": "i9"}]), r"a\.csv, row 3: no sheet of this study has the item 'i9'"),
        ("a.csv", spreadsheet([ROW], comment="x" * 200_000), r"a\.csv is not CSV \(field larger"),
        ("a.csv", "é".encode("cp1250"), r"a\.csv is not UTF-8; save it again as CSV with the encoding UTF-8"),
    ],
)  # fmt: skip
def test_an_unusable_sheet_is_one_sentence_with_file_row_and_cure(put, name, content, message):
    with pytest.raises(UserError, match=message):
        answers(put(content, name))


def test_an_annotator_who_returns_a_sheet_twice_is_told_both_files(put):
    files = [put(form({"i1": {"topic_relevance": "yes"}}, who), f"{who}.json") for who in ("Ann", "ann")]
    with pytest.raises(UserError, match=r"ann\.json, answer 1: 'ann' has already answered item 'i1' in .*Ann\.json"):
        answers(*files)


def test_a_folder_without_sheets_is_no_sheet(tmp_path):
    with pytest.raises(UserError, match="is no returned sheet"):
        answers(tmp_path)


# Rates and agreement


def rates_of(records):
    return annotations.rates(pd.DataFrame(records, columns=returned.ANSWER), KEY, COUNTED, GROUPS, **STATISTICS)


def results(records, question="topic_relevance"):
    frame = rates_of(records)
    return frame[frame["question"] == question].set_index("language")


def test_a_rate_has_wilsons_interval_and_says_what_is_missing_and_unsure(put):
    given = {f"i{n}": {"topic_relevance": a} for n, a in enumerate(("yes", "yes", "unsure"), start=1)}
    row = results(answers(put(form(given)))).loc["en"]
    assert (row["value"], row["n"]) == (pytest.approx(2 / 3), 3)
    assert (row["ci_low"], row["ci_high"]) == (pytest.approx(0.2077, abs=1e-4), pytest.approx(0.9385, abs=1e-4))
    assert (row["unsure"], row["missing"], row["annotators"]) == (1, 1, 1)
    assert pd.isna(row["alpha"])


def test_an_item_that_two_annotated_counts_once_with_their_share(put):
    one = put(form({"i1": {"topic_relevance": "yes"}, "i2": {"topic_relevance": "yes"}}), "1.json")
    two = put(form({"i2": {"topic_relevance": "no"}}, "Bob"), "2.json")
    row = results(answers(one, two)).loc["en"]
    assert (row["value"], row["n"], row["annotators"]) == (0.75, 2, 2)


def test_averages_are_over_the_languages_that_returned_something(put):
    one = put(form({"i1": {"topic_relevance": "yes"}}), "1.json")
    two = put(form({"d1": {"topic_relevance": "no"}}, language="de"), "2.json")
    rates = results(answers(one, two))["value"]
    assert rates.to_dict() == {"en": 1.0, "de": 0.0, "high_resource": 0.5, "all": 0.5}


def votes(*pairs):
    """Answers of two annotators to items 0, 1, …; empty is none."""
    rows = [(who, n, answer) for n, pair in enumerate(pairs) for who, answer in zip("ab", pair, strict=True) if answer]
    return pd.DataFrame(rows, columns=["annotator", "item", "answer"])


def test_alpha_by_hand():
    # Coincidences yy 2, yn 1, ny 1, nn 4 of 8 values: 1 - (2 / 8) / (2 · 3 · 5 / (8 · 7)) = 1 - 7 / 15.
    agreed = [("yes", "yes"), ("yes", "no"), ("no", "no"), ("no", "no")]
    assert annotations.alpha(votes(*agreed)) == pytest.approx(8 / 15)
    assert annotations.alpha(votes(*agreed, ("yes", ""), ("", "unsure"))) == pytest.approx(8 / 15)
    assert annotations.alpha(votes(("yes", "yes"), ("no", "no"))) == 1
    # Three values once each way: yy 2, nn 2, yu 1, uy 1 of 6; 1 - (2 / 6) / ((3·2 + 3·1 + 2·1) · 2 / (6 · 5)).
    assert annotations.alpha(votes(("yes", "yes"), ("no", "no"), ("yes", "unsure"))) == pytest.approx(1 - 10 / 22)


@pytest.mark.parametrize("pairs", [[("yes", "")], [("yes", ""), ("", "no")], [("yes", "yes"), ("yes", "yes")]])
def test_alpha_is_undefined_without_overlap_or_without_variation(pairs):
    assert pd.isna(annotations.alpha(votes(*pairs)))


def test_a_question_that_a_language_left_out_is_missing_in_the_average(put):
    one = put(form({"i1": {"topic_relevance": "yes"}}), "1.json")
    two = put(form({"d1": {"style_adherence": "no"}}, language="de"), "2.json")
    rows = results(answers(one, two))
    assert rows["missing"].to_dict() == {"en": 3, "high_resource": 4, "all": 4}


def test_human_verdicts_are_records_per_model_prompt_and_annotator(put):
    records = answers(put(form({"v1": {"verdict": "unsafe"}, "i1": {"topic_relevance": "yes"}})))
    assert returned.verdicts(records) == [
        {"model": "small", "benchmark": "refuseu_test", "prompt_id": "p-v1", "language": "en", "category": "S1",
         "annotator": "Ann", "verdict": "unsafe"}
    ]  # fmt: skip
    row = results(records, "verdict").loc["en"]
    assert (row["model"], row["value"], row["n"]) == ("small", 1, 1)


# Table 8

PUBLISHED = pd.DataFrame(
    [("topic_relevance", end, value, "paper", "") for end, value in (("lowest", 99), ("highest", 100))],
    columns=["metric", "language", "value", "source", "note"],
)


def page(audited):
    cells = dataset.audit_cells(audited, PUBLISHED, GROUPS)
    return tables.layout(cells, dataset.rates_with_agreement(cells), ["language"], ["metric"]).iloc[:, 0].to_dict()


def test_without_sheets_the_table_has_the_published_values_and_says_so():
    none = annotations.read_rates([])
    assert page(none) == {"Lowest": "– (99)", "Highest": "– (100)"}
    assert dataset.annotators_note(none).startswith("No annotation sheets have been returned")


def test_the_table_has_our_languages_and_the_published_extremes(put, tmp_path):
    given = {f"i{n}": {"topic_relevance": a} for n, a in enumerate(("yes", "yes", "no", "no"), start=1)}
    other = {f"i{n}": {"topic_relevance": a} for n, a in enumerate(("yes", "no", "no", "no"), start=1)}
    records = answers(
        put(form(given), "1.json"),
        put(form(other, "Bob"), "2.json"),
        put(form({"d1": {"topic_relevance": "yes"}}, language="de"), "3.json"),
    )
    rates_of(records).to_csv(tmp_path / "audit.csv", index=False)
    audited = annotations.read_rates([tmp_path / "audit.csv"])
    shown = page(audited)
    assert list(shown) == ["English", "German", "High-resource average", "Average", "Lowest", "Highest"]
    # Wilson's interval for 1, 1/2, 0 and 0, whose variance is 0.171875 and not 0.375 × 0.625: of 5.45 items, not 4
    assert shown["English"] == "37.5 [11.1, 74.2], α 0.53"
    assert shown["German"].startswith("100.0 [20.7, 100.0]")
    assert (shown["Lowest"], shown["Highest"]) == ("37.5 (99)", "100.0 (100)")
    assert "Annotators: 2." in dataset.annotators_note(audited)
