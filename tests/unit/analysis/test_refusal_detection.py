"""How well markers find refusals, counted by hand."""

import pytest

from refuseu.analysis.refusal_detection import detection
from support.helpers import marked

GROUPS = {"high_resource": ["en", "de"], "low_resource": ["pl"]}
MARKERS = {"en": marked("i can't"), "de": marked("tut mir leid")}


def pair(language, chosen, rejected):
    prompt = {"role": "user", "content": "I can't wait. Tut mir leid."}
    said = {"chosen": chosen, "rejected": rejected}
    return {"language": language} | {k: [prompt, {"role": "assistant", "content": v}] for k, v in said.items()}


PAIRS = [
    pair("en", "I can't help.", "Sure."),
    pair("en", "I can't.", "I can't say no."),
    pair("en", "No way.", "Sure. First this. I can't stop."),
    pair("de", "Tut mir leid.", "Gern."),
    pair("pl", "Nie mogę.", "Jasne."),
]


@pytest.mark.parametrize(
    ("metric", "en", "de", "pl"),
    [("refusals_found", 2 / 3, 1.0, 0.0), ("false_refusals", 1 / 3, 0.0, 0.0)],
)
def test_only_the_answers_count_and_only_their_first_two_sentences(metric, en, de, pl):
    found = detection(PAIRS, MARKERS, GROUPS, 0.95)
    value = found[found["metric"] == metric].set_index("language")["value"]
    assert value.to_dict() == pytest.approx(
        {"en": en, "de": de, "pl": pl, "high_resource": (en + de) / 2, "low_resource": pl, "all": (en + de + pl) / 3}
    )


def test_a_language_has_wilsons_interval_and_its_number_of_pairs():
    row = detection(PAIRS, MARKERS, GROUPS, 0.95).iloc[0]
    assert (row["language"], row["metric"], row["n"]) == ("en", "refusals_found", 3)
    # Wilson (1927) for 2 of 3 at 95 %: z = 1.959964
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((0.207660, 0.938508), abs=1e-5)


def test_a_language_without_pairs_is_empty_and_not_zero():
    found = detection(PAIRS[:3], MARKERS, GROUPS, 0.95)
    assert found[found["language"] == "pl"]["value"].isna().all()


def test_pairs_of_one_slot_are_no_independent_evidence():
    pairs = [pair("en", "I can't.", "Sure."), pair("en", "No way.", "Sure.")] * 10
    slots = [own | {"slot": own["chosen"][-1]["content"]} for own in pairs]
    (alone, together) = (
        detection(rows, MARKERS, GROUPS, 0.95).query("language == 'en' and metric == 'refusals_found'").iloc[0]
        for rows in (pairs, slots)
    )
    assert alone["value"] == together["value"] == 0.5 and alone["n"] == together["n"] == 20
    # Wilson (1927) for 10 of 20
    assert (alone["ci_low"], alone["ci_high"]) == pytest.approx((0.299298, 0.700702), abs=1e-5)
    assert together["ci_high"] - together["ci_low"] > 0.9
