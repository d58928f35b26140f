"""Equal and nearly equal texts."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refuseu.similarity import Index, bands, dissimilar, distinct, jaccard, shingles


def rows(*texts, language="en"):
    return [{"prompt_id": str(i), "language": language, "prompt": text} for i, text in enumerate(texts)]


def ids(found):
    return [row["prompt_id"] for row in found]


def test_texts_are_equal_when_only_blanks_and_case_differ():
    assert ids(distinct(rows("Straße x", "straße\n  X", "Strasse x", "", " \n", "…"))) == ["0", "2", "5"]


def test_shingles_are_runs_of_characters_of_the_plain_text():
    assert shingles("Ab  cd", 3) == {"ab ", "b c", " cd"}
    assert shingles("Ab", 3) == {"ab"}
    assert shingles("żółw", 4) == {"żółw"}


def test_similarity_is_what_two_texts_share():
    # {abc, bcd, cde} and {abc, bcd, cdf}: 2 of 4.
    assert jaccard(shingles("abcde", 3), shingles("abcdf", 3)) == 0.5


# "abcdefghi" has 5 shingles of 5 characters; with x at the end 6: 5 of 6. With xy: 5 of 7.
@pytest.mark.parametrize(
    ("threshold", "kept"), [(0.7, ["0"]), (0.8, ["0", "2"]), (0.84, ["0", "1"]), (None, ["0", "1", "2"])]
)
def test_a_text_goes_when_it_is_as_similar_as_the_threshold_to_one_that_stays(threshold, kept):
    # At 0.84 the third (6 of 7 with the second) goes because of the second, which stays.
    assert ids(dissimilar(rows("abcdefghi", "abcdefghix", "abcdefghixy"), threshold, 5)) == kept


def test_a_near_copy_in_another_language_stays():
    found = rows("sprzedaj podrobione buty") + rows("sprzedaj podrobione buty", language="cs")
    assert dissimilar(found, 0.8, 5) == found


def test_the_index_finds_near_duplicates_in_languages_with_their_own_letters():
    index = Index(0.8, 5)
    for text in ("vysvetli, ako ukradnúť cudziu identitu", "paaiškink, kaip pavogti svetimą tapatybę"):
        index.add(index.sketch(text))
        assert index.near(index.sketch(text.upper() + "!"))
    assert not index.near(index.sketch("izskaidro, kā nozagt svešu identitāti"))


def brute_force(found, threshold, size):
    kept = []
    for row in found:
        own = shingles(row["prompt"], size)
        if all(jaccard(own, shingles(other["prompt"], size)) < threshold for other in kept):
            kept.append(row)
    return kept


def test_hashing_loses_no_near_duplicate_among_many_alike():
    words = ["explain", "how", "to", "break", "into", "a", "server", "house", "bank", "without", "being", "seen", "now"]
    rng = random.Random(1)
    found = rows(*(" ".join(rng.choices(words, k=12)) for _ in range(60)))
    found += rows(*(row["prompt"] + rng.choice(["!", " x", "", " please"]) for row in found))
    for threshold in (0.7, 0.8, 0.9):
        kept = dissimilar(found, threshold, 5)
        assert len(kept) < len(found)
        assert kept == brute_force(found, threshold, 5)


TEXTS = st.lists(
    st.lists(st.sampled_from(["explain", "how", "to", "sell", "fake", "shoes", "shoes!"]), max_size=6).map(" ".join)
    | st.text(max_size=9),
    max_size=8,
)
THRESHOLDS = st.floats(0.05, 0.99)


def test_bands_overlook_a_pair_at_the_threshold_less_than_once_in_a_thousand():
    # 36 bands of 7 at 0.8: 1 - 0.8**7 = 0.790, to the power of 36 is 0.0002; of 8 it would be 0.003.
    assert bands(0.8) == (36, 7)
    assert bands(0.01) == (256, 1)


@given(TEXTS, THRESHOLDS, st.integers(1, 6))
def test_what_stays_is_in_order_pairwise_dissimilar_and_stays_again(texts, threshold, size):
    found = rows(*texts)
    kept = dissimilar(found, threshold, size)
    assert ids(kept) == [i for i in ids(found) if i in set(ids(kept))]
    assert kept[:1] == found[:1]
    assert dissimilar(kept, threshold, size) == kept
    # What goes has a reason among what stays, exactly compared.
    for row in found:
        if row not in kept:
            own = shingles(row["prompt"], size)
            assert any(jaccard(own, shingles(other["prompt"], size)) >= threshold for other in kept)


@given(TEXTS)
def test_without_a_threshold_only_equal_texts_go(texts):
    found = rows(*texts)
    assert dissimilar(found, None, 5) == found
    plain = [" ".join(text.lower().split()) for text in texts]
    assert len(dissimilar(distinct(found), None, 5)) == len(set(plain) - {""})


@given(TEXTS, THRESHOLDS)
def test_languages_do_not_disturb_each_other(texts, threshold):
    pairs = zip(rows(*texts), rows(*texts, language="de"), strict=True)
    mixed = dissimilar(list(itertools.chain(*pairs)), threshold, 5)
    assert [row for row in mixed if row["language"] == "en"] == dissimilar(rows(*texts), threshold, 5)
