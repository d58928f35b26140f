"""A dataset that is filled in rounds, made by servers: every category gets its pairs, and nothing is asked twice."""

from collections import Counter

import pytest

from support.apis import CATEGORIES, LANGUAGES, Study

PAIRS, ROUNDS = 16, 3
PHASES = ["pilot", "main", "round2", "round3"]


class Filled(Study):
    """The study of servers with as many prompts as it needs."""

    def arguments(self, fill=None):
        wanted = {"pairs": PAIRS, "rounds": ROUNDS, "most": 400} | (fill or {})
        split = {"per_category": 2, "if_short": "stop"}
        overlay = self.overlay("fill.yaml", {"dataset": {"fill": wanted, "pilot_n": 18, "split": split}})
        return *super().arguments(), overlay


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    study = Filled(tmp_path_factory.mktemp("filled"))
    study.run()
    return study


def pairs(study):
    rows = [row for phase in PHASES for row in study.records(f"build_pairs/{phase}/pairs.jsonl")]
    return Counter((row["language"], row["category"]) for row in rows)


def test_every_category_has_its_pairs_in_every_language(filled):
    found = pairs(filled)
    assert len(found) == len(LANGUAGES) * len(CATEGORIES)
    assert min(found.values()) >= PAIRS


def test_each_phase_asks_what_its_file_says_and_the_next_knows_what_became_of_it(filled):
    for number, phase in enumerate(PHASES):
        needs = filled.records(f"feasibility/{phase}.jsonl")
        written = filled.records(f"generate_prompts/{phase}/generator.jsonl")
        asked = Counter((row["language"], row["category"]) for row in written)
        assert asked == Counter({(need["language"], need["category"]): need["more"] for need in needs})
        before = [row for early in PHASES[:number] for row in filled.records(f"build_pairs/{early}/pairs.jsonl")]
        assert sum(need["pairs"] for need in needs) == len(before)
    assert len(filled.records("generate_prompts/pilot/generator.jsonl")) == 18 * len(LANGUAGES)


def test_no_prompt_comes_twice_in_a_language_whatever_its_phase(filled):
    kept = [row for phase in PHASES for row in filled.records(f"filter_prompts/{phase}/prompts.jsonl")]
    assert set(Counter((row["language"], row["prompt"].casefold()) for row in kept).values()) == {1}
    assert set(Counter(row["prompt_id"] for row in kept).values()) == {1}


def test_each_request_of_a_generator_reaches_a_server_once(filled):
    asked = [request for request in filled.asked()[1].items() if '"generator"' in request[0]]
    assert {times for _, times in asked} == {1}


def test_more_pairs_ask_for_what_is_missing_and_for_no_prompt_twice(filled):
    before = filled.asked()[1]
    ended = filled.snakemake(*filled.arguments({"pairs": PAIRS + 4}))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert min(pairs(filled).values()) >= PAIRS + 4
    more = filled.asked()[1] - before
    assert not [request for request in more if '"generator"' in request and request in before]
