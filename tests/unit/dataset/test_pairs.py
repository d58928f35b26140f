"""Which answers pair up, and which slots are held out."""

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refuseu.dataset.pairs import answer_steps, build_pairs, select, split, training_pairs
from refuseu.errors import UserError

GUARDS = ["a", "b"]
PAPER = {"prompt_unsafe": "all", "chosen_safe": "all", "rejected_unsafe": "any"}
LABELS = {"u": "unsafe", "s": "safe", "-": "unparsed"}


def build(chosen, rejected, policies=PAPER, detected=("en", "en"), cut=({}, {})):
    """Ids of the pairs when the guards said so of each prompt, e.g. chosen=["ss", "su"]."""
    ids = [str(i) for i in range(len(chosen))]
    prompts = [
        {"prompt_id": i, "language": "en", "category": "S1", "activity": "S1-1", "style": "slang", "prompt": f"Do {i}"}
        for i in ids
    ]
    answers = [
        [
            {"prompt_id": i, "response": f"{side} {i}", "finish_reason": ends.get(i, "stop"), "detected": code}
            for i in ids
        ]
        for side, code, ends in zip(("No", "Yes"), detected, cut, strict=True)
    ]
    labels = {
        (side, guard): {i: LABELS[said[n]] for i, said in zip(ids, sides, strict=True)}
        for side, sides in (("chosen", chosen), ("rejected", rejected))
        for n, guard in enumerate(GUARDS)
    }
    steps = answer_steps(prompts, *answers, labels, GUARDS, policies)
    return build_pairs(steps["rejected_unsafe"], *answers)


def ids(pairs):
    return [pair["pair_id"] for pair in pairs]


def test_a_pair_is_a_prompt_with_both_answers_as_conversations():
    [pair] = build(["ss"], ["uu"])
    turn = {"role": "user", "content": "Do 0"}
    assert pair == {
        "pair_id": "0", "language": "en", "category": "S1", "activity": "S1-1", "style": "slang", "prompt": "Do 0",
        "chosen": [turn, {"role": "assistant", "content": "No 0"}],
        "rejected": [turn, {"role": "assistant", "content": "Yes 0"}],
    }  # fmt: skip


def test_all_guards_must_call_the_chosen_answer_safe():
    assert ids(build(["ss", "su", "us", "uu", "s-", "--"], ["uu"] * 6)) == ["0"]


def test_any_guard_may_call_the_rejected_answer_unsafe():
    assert ids(build(["ss"] * 6, ["uu", "us", "su", "ss", "u-", "--"])) == ["0", "1", "2", "4"]


def test_an_answer_that_was_cut_is_never_trained_on():
    cut = {"1": "length"}, {"2": "length", "3": "content_filter"}
    assert ids(build(["ss"] * 4, ["uu"] * 4, cut=cut)) == ["0", "3"]


def test_the_policies_are_a_choice():
    chosen = ["ss", "su", "uu", "s-"]
    assert ids(build(chosen, ["uu"] * 4, PAPER | {"chosen_safe": "any"})) == ["0", "1", "3"]
    rejected = ["uu", "us", "ss", "u-"]
    assert ids(build(["ss"] * 4, rejected, PAPER | {"rejected_unsafe": "all"})) == ["0"]


@pytest.mark.parametrize("detected", [("de", "en"), ("en", "de"), ("", "en"), ("en", "")])
def test_both_answers_must_be_in_the_prompts_language(detected):
    assert build(["ss"], ["uu"], detected=detected) == []


# The split


def grid(languages=("en", "de"), categories=("S1", "S2"), activities=2, styles=4, each=2):
    """Pairs in every slot: `each` per language, category, activity and style."""
    return [
        {"pair_id": f"{code}-{category}-{a}-{style}-{n}", "language": code, "category": category,
         "activity": f"{category}-{a}", "style": f"style{style}"}
        for code in languages for category in categories for a in range(activities)
        for style in range(styles) for n in range(each)
    ]  # fmt: skip


def halve(
    pairs, per_category, by_activity, seed, languages=("en", "de"), categories=("S1", "S2"), if_short="stop", held_out=0
):
    return split(pairs, languages, categories, per_category, if_short, by_activity, held_out, seed)


def slots_of(pairs, by_activity):
    return {(p["category"], p["style"], p["activity"] if by_activity else "") for p in pairs}


@pytest.mark.parametrize("by_activity", [False, True])
def test_the_test_set_has_the_same_number_per_category_in_every_language(by_activity):
    train, test = halve(grid(), 3, by_activity, seed=1)
    assert Counter((p["language"], p["category"]) for p in test) == {
        (code, category): 3 for code in ("en", "de") for category in ("S1", "S2")
    }
    assert train


@pytest.mark.parametrize("by_activity", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_all_languages_of_a_slot_are_on_one_side(by_activity, seed):
    train, test = halve(grid(), 3, by_activity, seed)
    assert not slots_of(train, by_activity) & slots_of(test, by_activity)


def test_without_the_activity_a_whole_style_of_a_category_is_held_out():
    # One style of one category holds 2 activities × 2 = 4 per language, enough for a test of 3.
    train, test = halve(grid(), 3, False, seed=1)
    assert len({p["style"] for p in test if p["category"] == "S1"}) == 1
    assert len(train) == 2 * 2 * 3 * 2 * 2  # languages, categories, styles left, activities, each
    # With the activity a slot holds 2 per language: two slots for a test of 3.
    train, test = halve(grid(), 3, True, seed=1)
    assert len(slots_of(test, True)) == 2 * 2
    assert len(train) == 2 * 2 * (8 - 2) * 2


def test_what_the_test_does_not_need_of_its_slots_is_in_neither_half():
    train, test = halve(grid(), 3, False, seed=1)
    assert len(grid()) - len(train) - len(test) == 2 * 2 * (4 - 3)


def test_the_split_is_the_same_every_time_and_for_any_order_of_the_pairs():
    pairs = grid()
    assert halve(pairs, 3, False, 1) == halve(pairs, 3, False, 1)
    assert halve(pairs[::-1], 3, False, 1) == halve(pairs, 3, False, 1)


def test_another_seed_is_another_split():
    assert len({tuple(ids(halve(grid(), 3, False, seed)[1])) for seed in range(6)}) > 1


def test_both_halves_are_in_the_order_of_languages_and_ids():
    for half in halve(grid(("en", "lv")), 3, False, 1, languages=["lv", "en"]):
        assert half == sorted(half, key=lambda p: (p["language"] != "lv", p["pair_id"]))


def test_every_category_of_the_seeds_is_in_the_test():
    _, test = halve(grid(categories=("S10", "S9", "S2")), 1, False, 1, categories=["S2", "S9", "S10"])
    assert {p["category"] for p in test} == {"S2", "S9", "S10"}


def test_a_category_that_cannot_be_filled_in_a_language_is_named():
    pairs = [p for p in grid() if not (p["language"] == "de" and p["category"] == "S2" and p["style"] != "style0")]
    with pytest.raises(UserError) as error:
        halve(pairs, 5, False, seed=1)
    message = str(error.value)
    assert re.search(r"category S2 cannot be filled: 'de' has [04] test prompts", message)
    assert "dataset.split.per_category asks for 5" in message and "prompts_per_slot" in message
    assert "'en'" not in message


@pytest.mark.parametrize("seed", range(5))
def test_what_a_language_has_in_one_slot_only_is_found_and_no_more_is_held_out(seed):
    pairs = [p for p in grid() if not (p["language"] == "de" and p["category"] == "S2" and p["style"] != "style0")]
    train, test = halve(pairs, 1, False, seed)
    assert "S2/style0" in {p["slot"] for p in test if p["language"] == "de"}
    assert len({p["slot"] for p in test if p["category"] == "S2"}) <= 2
    assert {p["category"] for p in train} == {"S1", "S2"}


def test_a_category_that_would_leave_nothing_to_train_on_is_named():
    with pytest.raises(UserError, match=r"category S1 cannot be filled: 'en' has 2 test prompts where .* asks for 3"):
        halve(grid(["en"], ["S1"], activities=1, styles=2), 3, False, 1, ["en"], ["S1"])


def test_where_a_category_cannot_be_filled_the_test_may_have_fewer_of_its_prompts(caplog):
    gone = [p for p in grid() if not (p["language"] == "de" and p["category"] == "S2")]
    rare = gone + [p for p in grid() if p["pair_id"].startswith("de-S2-0-0-")]  # 2 where 3 are asked for
    whole = halve(grid(), 3, False, 1, if_short="fewer")
    assert whole == halve(grid(), 3, False, 1) and not caplog.text
    for pairs in (gone, rare):
        _, test = halve(pairs, 3, False, 1, if_short="fewer")
        # No other slot is held out for its sake, and the other languages and categories are as they were.
        assert {p["slot"] for p in test} == {p["slot"] for p in whole[1]}
        left_out = {p["pair_id"] for p in whole[1]} - {p["pair_id"] for p in test}
        assert {(p["language"], p["category"]) for p in whole[1] if p["pair_id"] in left_out} == {("de", "S2")}
        assert "category S2 cannot be filled: 'de' has" in caplog.text


def test_a_language_without_any_pair_does_not_vanish():
    with pytest.raises(UserError, match=r"category S1 cannot be filled: 'lv' has 0 test prompts"):
        halve(grid(), 3, False, 1, languages=["en", "lv", "de"])


def test_a_category_without_any_pair_does_not_vanish():
    with pytest.raises(UserError, match=r"category S7 cannot be filled: 'en' has 0, 'de' has 0 test prompts"):
        halve(grid(), 3, False, 1, categories=["S1", "S2", "S7"])


@pytest.mark.parametrize(("by_activity", "slot"), [(False, "S1/style0"), (True, "S1/style0/S1-1")])
def test_every_pair_says_its_slot(by_activity, slot):
    halves = halve(grid(), 3, by_activity, 1)
    assert slot in {p["slot"] for half in halves for p in half}
    train, test = ({p["slot"] for p in half} for half in halves)
    assert len(train) == len(slots_of(halves[0], by_activity))
    assert not train & test


def test_the_test_prompts_of_a_language_do_not_depend_on_the_order_of_languages():
    one, other = (halve(grid(), 3, False, 1, languages=codes)[1] for codes in (["en", "de"], ["de", "en"]))
    assert sorted(ids(one)) == sorted(ids(other))
    assert [p["language"] for p in other] == ["de"] * 6 + ["en"] * 6


def test_no_pairs_at_all_is_said():
    with pytest.raises(UserError, match="no preference pair passed the filters"):
        halve([], 3, False, 1)


@given(st.sets(st.sampled_from(range(64)), min_size=24), st.integers(1, 3), st.booleans(), st.integers(0, 9))
def test_whatever_is_missing_the_halves_share_no_slot_and_the_test_is_balanced(chosen, wanted, by_activity, seed):
    pairs = [pair for i, pair in enumerate(grid()) if i in chosen]
    try:
        train, test = halve(pairs, wanted, by_activity, seed)
    except UserError:
        return
    assert not slots_of(train, by_activity) & slots_of(test, by_activity)
    assert len(test) == wanted * 2 * 2
    assert set(Counter((p["language"], p["category"]) for p in test).values()) == {wanted}
    assert len(set(ids(train + test))) == len(train) + len(test)


def test_the_share_that_is_held_out_feeds_the_test_from_every_slot_of_it():
    pairs = grid(styles=9, activities=2, each=4)
    train, test = halve(pairs, 6, False, 1, held_out=0.33)
    for category in ("S1", "S2"):
        held = {p["slot"] for p in test if p["category"] == category}
        assert len(held) == 3  # of nine
        for code in ("en", "de"):
            own = [p for p in test if (p["category"], p["language"]) == (category, code)]
            assert Counter(p["slot"] for p in own) == dict.fromkeys(held, 2)
            # both prompts of a slot are about different activities
            assert len({(p["slot"], p["activity"]) for p in own}) == 6
    assert len(slots_of(train, False)) == 12
    assert len(slots_of(halve(pairs, 6, False, 1)[1], False)) == 2


@pytest.mark.parametrize("seed", range(5))
def test_the_styles_of_the_test_are_spread_over_the_categories(seed):
    categories = ("S1", "S2", "S3")
    pairs = grid(categories=categories, styles=6, each=4)
    _, test = halve(pairs, 4, False, seed, categories=categories, held_out=0.33)
    assert Counter(slot.split("/")[1] for slot in {p["slot"] for p in test}) == {f"style{n}": 1 for n in range(6)}


# What a variant trains on


def test_a_control_takes_as_many_pairs_as_other_languages_have_evenly_over_its_own():
    pairs = grid(("en", "de", "pl"), styles=3)  # 24 of each language
    found = training_pairs(pairs, ["en", "de", "pl"], ["en"], "balanced_small", 1)
    assert Counter(p["language"] for p in found) == {"en": 8, "de": 8, "pl": 8}
    assert found == training_pairs(pairs, ["en", "de", "pl"], ["en"], "balanced_small", 1)
    assert found != training_pairs(pairs, ["en", "de", "pl"], ["en"], "balanced_small", 2)
    assert len(set(ids(found))) == 24
    assert training_pairs(pairs, ["en", "de"], [], "v", 1) == select(pairs, ["en", "de"], "v")
    uneven = training_pairs(pairs[:-1], ["en", "de"], ["pl"], "v", 1)
    assert Counter(p["language"] for p in uneven) == {"en": 12, "de": 11}
    with pytest.raises(UserError, match="'v' takes 48 pairs in 'en', but the dataset has 24"):
        training_pairs(pairs, ["en"], ["de", "pl"], "v", 1)


def test_a_variant_trains_on_the_pairs_of_its_languages():
    pairs = grid(("en", "de", "pl"))
    assert select(pairs, ["pl", "en"], "v") == [p for p in pairs if p["language"] != "de"]


def test_a_variant_without_pairs_in_one_of_its_languages_is_named():
    with pytest.raises(UserError) as error:
        select(grid(), ["en", "lv"], "balanced")
    assert str(error.value) == "'balanced' takes pairs in 'lv', but the dataset has none"
