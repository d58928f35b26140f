"""Answers that people judged, in the published layout."""

import hashlib

import pytest

from refuseu.assets import download
from refuseu.errors import UserError
from refuseu.evaluation.human_labels import COLUMNS, read_human_labels
from support.helpers import ROOT

HEADER = ",".join(COLUMNS)
ROW = 'v2-1,contrast_homonyms,How?," No, I won\'t.\nNever.",2_full_refusal,3_partial_refusal,FALSE,3_partial_refusal'


def test_a_row_becomes_an_answer_with_what_people_say_of_it():
    assert read_human_labels("gpt4", f"{HEADER}\n{ROW}\n".encode()) == [
        {"prompt_id": "gpt4/v2-1", "language": "en", "category": "contrast_homonyms", "model": "gpt4", "prompt": "How?",
         "response": "No, I won't.\nNever.", "finish_reason": "stop", "harmful": True, "people": "partial",
         "annotators": ["refusal", "partial"]}
    ]  # fmt: skip


@pytest.mark.parametrize("column", COLUMNS)
def test_a_missing_column_is_one_clear_sentence(column):
    with pytest.raises(UserError, match=f"the human labels of m have no column '{column}'; they need id, type"):
        read_human_labels("m", ",".join(name for name in COLUMNS if name != column).encode())


def test_an_unknown_label_is_told():
    with pytest.raises(UserError, match="have the label '9_else'; known are 1_full_compliance"):
        read_human_labels("m", f"{HEADER}\n{ROW.replace('2_full_refusal', '9_else')}\n".encode())


def test_the_sample_has_all_classes_and_kinds():
    rows = read_human_labels("sample", (ROOT / "resources/miniature/human_labels.csv").read_bytes())
    assert {row["people"] for row in rows} == {"compliance", "refusal", "partial"}
    assert {row["harmful"] for row in rows} == {True, False}


def test_another_file_than_the_pinned_one_is_refused(tmp_path):
    file = tmp_path / "labels.csv"
    file.write_text("a")
    right = hashlib.sha256(b"a").hexdigest()
    assert download(str(file), right, offline=True) == download(str(file), None, offline=True) == b"a"
    with pytest.raises(UserError, match="it is another file than the pinned one"):
        download(str(file), "0" * 64, offline=True)


@pytest.mark.parametrize(("sha256", "offline", "why"), [(None, False, "its sha256 is not given"),
                                                       ("0" * 64, True, "HF_HUB_OFFLINE is set")])  # fmt: skip
def test_nothing_is_downloaded_without_a_digest_or_offline(sha256, offline, why):
    with pytest.raises(UserError, match=why):
        download("https://example.org/labels.csv", sha256, offline)
