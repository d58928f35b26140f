"""Several identifiers on the same texts: counted by hand, and on the bundled ones."""

import pandas as pd
import pytest

from refuseu.analysis.identifiers import cells, identified
from refuseu.artifacts.quality import identifiers_table
from refuseu.language_id import identifiers
from support.helpers import CODES

GROUPS = {"high_resource": ["en", "de"], "low_resource": ["sk"]}


class Says:
    def __init__(self, **codes):
        self.codes = codes

    def identify(self, texts):
        return [self.codes[text] for text in texts]


TEXTS = {"prompts": [("en", "a"), ("en", "b"), ("sk", "c")], "responses": [("de", "a")]}
COUNTS = identified(TEXTS, {"one": Says(a="en", b="de", c="sk"), "other": Says(a="en", b="en", c="cs")})


def test_texts_in_their_language_are_counted_by_identifier():
    found = COUNTS.set_index(["texts", "identifier", "language"])
    assert found.loc[("prompts", "one", "en")].tolist() == [1, 2]
    assert found.loc[("prompts", "other", "sk")].tolist() == [0, 1]
    assert found["n"].sum() == 2 * 4


def test_averages_are_over_the_languages_that_have_texts():
    found = cells(COUNTS, GROUPS).set_index(["texts", "identifier", "language"])
    assert found.loc[("prompts", "one", "all"), "value"] == 0.75
    assert found.loc[("prompts", "one", "high_resource"), "value"] == 0.5
    assert found.loc[("responses", "other", "all"), ["value", "n"]].tolist() == [0, 1]
    assert pd.isna(found.loc[("prompts", "one", "de"), "value"])
    assert len(found) == 6 * 4


def test_the_table_has_a_column_for_each_kind_of_text_and_identifier(tmp_path):
    COUNTS.to_csv(tmp_path / "identifiers.csv", index=False)
    table = identifiers_table(tmp_path / "identifiers.csv", GROUPS)
    assert dict(zip(table.cells["language"], table.text, strict=True))["low_resource"] == ""
    assert list(table.text)[:4] == ["50.0", "100.0", "", ""]


def test_on_bundled_texts_lingua_knows_them_all_and_lid176_most(bundled):
    pytest.importorskip("fasttext")
    texts = [(code, text) for code in CODES for text in bundled[code]["refusals"] + bundled[code]["compliances"]]
    both = identifiers({"backend": "lingua", "neighbours": []}, CODES)
    shares = cells(identified({"bundled": texts}, both), {"study": CODES}).set_index(["identifier", "language"])[
        "value"
    ]
    assert shares["lingua", "all"] == 1
    assert 0.85 < shares["lid176", "all"] < 0.99
    assert shares["lid176", "sk"] < 0.8
