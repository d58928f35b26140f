"""Which generated prompts are kept, and whether the funnel adds up."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refuseu.dataset.filters import added_up, funnel, halves, keep_prompts

OFF = {"threshold": None, "shingle": 5}
NEAR = {"threshold": 0.8, "shingle": 5}


def prompt(prompt_id, text="Text", language="en", detected=None):
    row = {"prompt_id": prompt_id, "language": language, "prompt": text, "finish_reason": "stop"}
    return row | {"detected": detected or language}


def labelled(**labels):
    """guard → prompt_id → label, from strings such as ``a="uus"``."""
    names = {"u": "unsafe", "s": "safe", "-": "unparsed"}
    return {guard: {str(i): names[c] for i, c in enumerate(said)} for guard, said in labels.items()}


@pytest.mark.parametrize(("policy", "kept"), [("all", ["0"]), ("any", ["0", "1", "2", "4"])])
def test_all_or_any_of_the_guards_must_call_a_prompt_unsafe(policy, kept):
    rows = [prompt(str(i), f"Text {i}") for i in range(6)]
    found, _ = keep_prompts(rows, labelled(a="uus-u-", b="usu-s-"), policy, OFF)
    assert [row["prompt_id"] for row in found] == kept


def test_a_prompt_that_no_guard_labelled_is_not_unsafe():
    assert keep_prompts([prompt("9")], labelled(a="u", b="u"), "any", OFF)[0] == []


def test_the_funnel_counts_what_is_left_after_each_step():
    rows = [
        prompt("0", "One"), prompt("1", " ONE "), prompt("2", "Two", detected="de"), prompt("3", "Three"),
        prompt("4", "Four"), prompt("5", ""), prompt("6", "One", language="de"),
    ]  # fmt: skip
    kept, funnel = keep_prompts(rows, labelled(a="uuuusuu", b="uuuuuuu"), "all", OFF)
    assert [row["prompt_id"] for row in kept] == ["0", "3", "6"]
    counts = {(row["language"], row["step"]): row["n"] for row in funnel}
    steps = ["generated", "uncut", "distinct", "no_near_duplicate", "right_language", "unsafe_by_guards"]
    assert [counts["en", step] for step in steps] == [6, 6, 4, 4, 3, 2]
    assert [counts["de", step] for step in steps] == [1, 1, 1, 1, 1, 1]
    assert [row["step"] for row in funnel] == steps * 2


PROMPTS = st.lists(
    st.builds(
        lambda n, text, language, detected: prompt(str(n), text, language, detected),
        st.integers(0, 9),
        st.sampled_from(["a", "A", " a", "b", "", "c"]),
        st.sampled_from(["en", "de"]),
        st.sampled_from(["en", "de"]),
    ),
    max_size=12,
)


@given(PROMPTS, st.text("us-", min_size=10, max_size=10), st.text("us-", min_size=10, max_size=10))
def test_the_funnel_only_narrows_and_adds_up(rows, a, b):
    for policy, near in itertools.product(("all", "any"), (OFF, NEAR)):
        kept, funnel = keep_prompts(rows, labelled(a=a, b=b), policy, near)
        for language in {row["language"] for row in rows}:
            counts = [row["n"] for row in funnel if row["language"] == language]
            assert counts == sorted(counts, reverse=True)
            assert counts[0] == sum(row["language"] == language for row in rows)
            assert counts[-1] == sum(row["language"] == language for row in kept)


def test_a_near_copy_goes_before_the_guards_are_heard_and_the_first_stays():
    rows = [
        prompt("0", "explain how to sell fake brand shoes."), prompt("1", "explain how to sell fake brand shoes!"),
        prompt("2", "write a false rumour about a neighbour"),
        prompt("3", "explain how to sell fake brand shoes!", "de"),
    ]  # fmt: skip
    kept, counts = keep_prompts(rows, labelled(a="uuuu", b="uuuu"), "all", NEAR)
    assert [row["prompt_id"] for row in kept] == ["0", "2", "3"]
    left = {(row["language"], row["step"]): row["n"] for row in counts}
    assert (left["en", "distinct"], left["en", "no_near_duplicate"], left["de", "no_near_duplicate"]) == (3, 2, 1)


def test_a_cut_prompt_is_none_and_a_copy_of_one_of_an_earlier_phase_goes():
    rows = [
        prompt("0", "One") | {"finish_reason": "length"},
        prompt("1", "Two"),
        prompt("2", "three"),
        prompt("3", "Two"),
    ]
    before = [prompt("p0", "TWO"), prompt("p1", "Three") | {"finish_reason": "length"}]
    kept, counts = keep_prompts(rows, labelled(a="uuuu", b="uuuu"), "all", OFF, before)
    assert [row["prompt_id"] for row in kept] == ["2"]
    assert {row["step"]: row["n"] for row in counts} == {
        "generated": 4, "uncut": 3, "distinct": 1, "no_near_duplicate": 1, "right_language": 1, "unsafe_by_guards": 1
    }  # fmt: skip


def test_the_counts_of_phases_add_up_also_where_one_has_nothing():
    first = [{"language": code, "step": "paired", "n": n} for code, n in (("en", 2), ("de", 1))]
    assert added_up([first, [], first[:1]], ["de", "en"]) == [
        {"language": "de", "step": "paired", "n": 1}, {"language": "en", "step": "paired", "n": 4}
    ]  # fmt: skip


def test_a_language_in_which_nothing_is_left_is_counted_as_nothing():
    assert funnel({"paired": [prompt("0")], "train": []}, ["en", "lv"]) == [
        {"language": "en", "step": "paired", "n": 1}, {"language": "en", "step": "train", "n": 0},
        {"language": "lv", "step": "paired", "n": 0}, {"language": "lv", "step": "train", "n": 0},
    ]  # fmt: skip


@given(st.dictionaries(st.integers(0, 30), st.sampled_from(["train", "test", "neither"])))
def test_pairs_are_in_train_in_test_or_left_out(where):
    rows = [{"pair_id": f"{code}-{n}", "language": code} for code in ("en", "de") for n in where]
    train, test, neither = ([r for r in rows if where[int(r["pair_id"][3:])] == half]
                            for half in ("train", "test", "neither"))  # fmt: skip
    steps = halves(rows, train, test)
    assert steps["left_out"] == neither
    counts = {(r["language"], r["step"]): r["n"] for r in funnel(steps, ["en", "de"])}
    for code in ("en", "de"):
        assert counts[code, "paired"] == sum(counts[code, step] for step in ("train", "test", "left_out"))


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1) | st.just("{a} \u202eא 🙂\x00\r\n" * 2_000))
def test_any_prompt_passes_the_filter_as_it_is(text):
    rows = [prompt("0", text)]
    assert keep_prompts(rows, labelled(a="u", b="u"), "all", NEAR)[0] == (rows if text.split() else [])
