"""How many prompts are asked for, so that every category gets its pairs in every language."""

from collections import Counter

import pytest

from refuseu.dataset.feasibility import Aim, Counts, expected, needs, pilot_needs, wanting
from refuseu.dataset.requests import needed
from refuseu.dataset.seeds import read_seeds, translate_seeds
from refuseu.errors import UserError
from refuseu.languages import members
from support.helpers import ROOT
from support.yields import Building, World

LANGUAGES, CATEGORIES = ["en", "pl"], ["S1", "S2"]
CELLS = [(code, category) for code in LANGUAGES for category in CATEGORIES]
AIM = Aim(pairs=100, most=1000, least=40)


def even(asked, pairs):
    """A phase in which every cell had the same."""
    return Counts(dict.fromkeys(CELLS, asked), dict.fromkeys(CELLS, pairs))


def more(*phases, aim=AIM):
    return {(need["language"], need["category"]): need["more"]
            for need in needs(LANGUAGES, CATEGORIES, phases, aim)}  # fmt: skip


def test_a_pilot_is_spread_evenly_over_the_categories():
    found = pilot_needs(LANGUAGES, ["S1", "S2", "S3"], 10)
    assert [need["more"] for need in found] == [4, 3, 3] * 2
    assert {need["asked"] for need in found} == {0}


def test_the_first_round_asks_for_four_fifths_and_the_next_for_the_rest_and_a_margin():
    pilot = even(200, 100)
    assert set(more(pilot, aim=Aim(300, 1000, 40)).values()) == {2 * (240 - 100) + 24}  # and the margin of 140
    assert set(more(pilot, even(264, 132), aim=Aim(300, 1000, 40)).values()) == {2 * 68 + 17}


def test_a_full_cell_asks_for_nothing_and_a_short_one_for_no_more_than_the_bound_leaves():
    first = Counts(dict.fromkeys(CELLS, 800), dict.fromkeys(CELLS, 200) | {("pl", "S2"): 20})
    found = more(even(40, 10), first)
    assert {cell: n for cell, n in found.items() if n} == {("pl", "S2"): 1000 - 840}


def test_what_a_cell_has_shown_outweighs_its_language_and_category_the_more_it_was_asked():
    asked = Counter(dict.fromkeys(CELLS, 1000))
    pairs = Counter(dict.fromkeys(CELLS, 500)) | Counter({("pl", "S2"): 0})
    pairs["pl", "S2"] = 100
    phase = Counts(asked, pairs)
    short = Counts({("pl", "S2"): 10}, {("pl", "S2"): 1})
    for_long = expected(("pl", "S2"), asked, pairs, [phase])
    for_short = expected(("pl", "S2"), asked, pairs, [short])
    assert 0.1 < for_long < 0.13 < for_short < 0.3
    assert expected(("en", "S1"), asked, pairs, [phase]) == pytest.approx(0.5, abs=0.02)


def test_the_last_phase_tells_of_the_next_prompts():
    worn = [even(100, 50), even(1000, 100)]
    total = [Counter(dict.fromkeys(CELLS, n)) for n in (1100, 150)]
    assert expected(("en", "S1"), *total, worn) == pytest.approx(0.1, abs=0.01)


def test_a_cell_without_any_pair_is_asked_as_the_others_let_expect():
    pilot = Counts(dict.fromkeys(CELLS, 36), dict.fromkeys(CELLS, 18) | {("pl", "S2"): 0})
    found = more(pilot)
    assert found["en", "S1"] < found["pl", "S2"] < AIM.most


def test_a_category_that_cannot_be_filled_is_one_sentence_before_more_is_asked():
    pilot = Counts(dict.fromkeys(CELLS, 400), {("en", "S1"): 200, ("pl", "S1"): 200})
    with pytest.raises(UserError) as error:
        more(pilot)
    said = str(error.value)
    assert said.startswith("too few prompts become pairs in S2 in en, pl: in S2 in 'en' 0 of 400, so that 1000 prompts")
    assert "write more activities for it, raise the bound, or set dataset.split.if_short to fewer" in said
    assert set(more(pilot, aim=Aim(100, 1000, 0)).values()) == {600, 0}  # with fewer, what the bound leaves


def test_a_pilot_without_a_pair_is_one_sentence():
    with pytest.raises(UserError, match=r"none of 160 prompts became a pair"):
        more(even(40, 0))


def test_each_phase_goes_on_where_the_last_one_ended_and_asks_for_nothing_twice():
    source = read_seeds(ROOT / "resources/seeds/pl", "pl")

    class Same:
        def translate(self, wanted):
            return [one.text for one in wanted]

    seeds = translate_seeds(source, ["pl", "en"], Same())
    first = [{"language": code, "category": "S4", "asked": 0, "more": 7} for code in ("pl", "en")]
    rest = [need | {"asked": 7, "more": 18} for need in first]
    ids = [[row["prompt_id"] for row in needed(seeds, part, 1)] for part in (first, rest)]
    assert len({*ids[0], *ids[1]}) == 2 * 25
    both = needed(seeds, [need | {"more": 25} for need in first], 1)
    assert {row["prompt_id"] for row in both} == {*ids[0], *ids[1]}
    each = Counter((row["language"], row["style"]) for row in both)
    assert set(each.values()) == {2, 3}  # ten styles of one activity


# The paper's study as it is configured, simulated


@pytest.mark.parametrize("world", [World(0.04), World(0.6), World(0.1, spread=0.3), World(0.2, spread=0.3, worn=2000)])
def test_the_papers_study_fills_its_test_at_any_yield_from_4_to_60_percent(paper, world):
    dataset, languages = (
        paper["dataset"] | {"seeds": str(ROOT / paper["dataset"]["seeds"])},
        members(paper["languages"]),
    )
    building = Building(dataset, languages, world, seed=1)
    assert building.in_rounds() == ""
    train, test = building.halves()
    assert Counter(pair["language"] for pair in test) == dict.fromkeys(languages, 1400)
    assert min(Counter(pair["language"] for pair in train).values()) > 2000
    wanted = len(languages) * 14 * dataset["fill"]["pairs"]
    assert wanted * 0.98 < len(building.pairs) < wanted * 1.4


def test_where_the_paper_s_study_cannot_fill_its_test_it_stops_after_the_pilot(paper):
    dataset = paper["dataset"] | {"seeds": str(ROOT / paper["dataset"]["seeds"])}
    building = Building(dataset, members(paper["languages"]), World(0.002), seed=1)
    assert building.in_rounds().startswith(("too few prompts become pairs in S", "none of "))
    assert len(building.phases) == 1


# Before anything is asked


def test_a_fixed_number_that_the_papers_yield_leaves_short_is_said(paper):
    seeds, dataset = read_seeds(ROOT / "resources/seeds/pl", "pl"), paper["dataset"]
    assert wanting(seeds, dataset) == ""
    said = wanting(seeds, dataset | {"fill": None})
    assert "the 600 of S1, S2" in said and "some 24 of the 100 test prompts" in said and "set dataset.fill" in said
    assert wanting(seeds, dataset | {"fill": None, "prompts_per_category": 5000}) == ""
    assert "raise dataset.fill.most" in wanting(seeds, dataset | {"fill": dataset["fill"] | {"most": 400}})
