"""From seeds to the prompts that are kept."""

from collections import Counter

import pytest

from refuseu.dataset.memory import Memory
from refuseu.dataset.prompt_translations import translate_prompts
from refuseu.dataset.requests import answer_requests, requests, slots
from refuseu.dataset.seeds import read_seeds, translate_seeds
from refuseu.errors import UserError
from support.helpers import CODES, ROOT

SHEETS = {
    "categories.tsv": "category\ttext\nS1\tPrzemoc\nS2\tKradzież\n",
    "activities.tsv": "activity\tcategory\ttext\nS1-1\tS1\tpobić\nS1-2\tS1\tporwać\nS2-1\tS2\tukraść\n",
    "styles.tsv": "style\ttext\nslang\tslang\nrole\trola\n",
    "instructions.tsv": "instruction\ttext\ngenerate_prompt\t{style}/{category}/{activity}\nrefuse\tOdmów.\n",
}


@pytest.fixture
def folder(tmp_path):
    for name, text in SHEETS.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


class Upper:
    """Translates by writing the target in front."""

    def translate(self, wanted):
        return [f"{one.target}:{one.text}" for one in wanted]


@pytest.fixture
def seeds(folder):
    return translate_seeds(read_seeds(folder, "pl"), ["pl", "en"], Upper())


# Seeds


def test_seeds_are_read_in_the_order_of_their_sheets(folder):
    seeds = read_seeds(folder, "pl")
    assert [seed["key"] for seed in seeds] == [
        "S1", "S2", "S1-1", "S1-2", "S2-1", "slang", "role", "generate_prompt", "refuse"
    ]  # fmt: skip
    assert seeds[4] == {"kind": "activity", "key": "S2-1", "category": "S2", "language": "pl", "text": "ukraść"}


def test_the_bundled_seeds_are_the_fourteen_categories_and_ten_styles():
    seeds = read_seeds(ROOT / "resources/seeds/pl", "pl")
    assert [s["key"] for s in seeds if s["kind"] == "category"] == [f"S{n}" for n in range(1, 15)]
    assert sum(s["kind"] == "style" for s in seeds) == 10
    assert {s["category"] for s in seeds if s["kind"] == "activity"} == {f"S{n}" for n in range(1, 15)}
    memory = Memory(ROOT / "resources/miniature/translation_memory.tsv")
    seeds = read_seeds(ROOT / "resources/seeds/pl", "pl", ROOT / "resources/miniature/instructions.tsv")
    assert len(translate_seeds(seeds, CODES, memory)) == 12 * len(seeds)


def test_the_bundled_instructions_say_what_the_style_is_and_which_language_is_wanted():
    seeds = translate_seeds(read_seeds(ROOT / "resources/seeds/pl", "pl"), ["pl", "sl"], Upper())
    texts = {(seed["language"], seed["kind"], seed["key"]): seed["text"] for seed in seeds}
    assert "slovenščina" in texts["sl", "instruction", "refuse"] and "polski" in texts["pl", "instruction", "refuse"]
    for row in requests(seeds, ["pl", "sl"], 1, None, 1):
        key = row["language"], "definition", row["style"]
        assert texts[key] in row["message"] and "{" not in row["message"]
    said = texts["pl", "instruction", "refuse"]
    assert all(word in said for word in ("dlaczego", "niebezpieczna", "skutki"))


def test_definitions_of_styles_are_seeds_only_where_the_instruction_asks_for_them(folder):
    (folder / "styles.tsv").write_text("style\ttext\tdefinition\nslang\tslang\tluźno\nrole\trola\t\n")
    assert not [seed for seed in read_seeds(folder, "pl") if seed["kind"] == "definition"]
    sheet = folder / "mine.tsv"
    sheet.write_text("instruction\ttext\ngenerate_prompt\t{style}{category}{activity} {definition}\nrefuse\tNie.\n")
    with pytest.raises(UserError, match=r"styles.tsv: the style 'role' has no definition, and the instruction"):
        read_seeds(folder, "pl", sheet)
    (folder / "styles.tsv").write_text("style\ttext\tdefinition\nslang\tslang\tluźno\n")
    found = [seed for seed in read_seeds(folder, "pl", sheet) if seed["kind"] == "definition"]
    assert [(seed["key"], seed["text"]) for seed in found] == [("slang", "luźno")]


def test_a_category_without_an_activity_is_named(folder):
    (folder / "activities.tsv").write_text("activity\tcategory\ttext\nS1-1\tS1\ta\n")
    with pytest.raises(UserError, match=r"activities.tsv has no activity of the category 'S2'; add one"):
        read_seeds(folder, "pl")


@pytest.mark.parametrize("name", SHEETS)
def test_a_missing_sheet_of_seeds_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(UserError, match=name):
        read_seeds(folder, "pl")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("styles.tsv", "style\ttext\nslang\ta\nslang\tb\n", "styles.tsv: 'slang' occurs twice among the ids"),
        ("styles.tsv", "style\tname\nslang\ta\n", "styles.tsv has no column 'text'"),
        ("styles.tsv", "style\ttext\nslang\ta\tb\n", "styles.tsv, line 2 has 3 cells where the header has 2"),
        ("activities.tsv", "activity\tcategory\ttext\nS3-1\tS3\ta\n", "activity 'S3-1' has the category 'S3', which"),
        ("activities.tsv", "activity\tcategory\ttext\nS1 1\tS1\ta\n", "activities.tsv, line 2, key activity: 'S1 1'"),
        ("activities.tsv", "activity\tcategory\ttext\n", "activities.tsv has no row; add at least one activity"),
        ("categories.tsv", "category\ttext\nfraud\ta\n", "categories.tsv, line 2, key category: 'fraud' does not fit"),
        ("styles.tsv", "style\ttext\nslang\t\n", "styles.tsv, line 2, key text: '' does not fit"),
        (
            "instructions.tsv",
            "instruction\ttext\ngenerate_prompt\t{style}{category}{activity}\n",
            "no instruction 'refuse'",
        ),
        (
            "instructions.tsv",
            "instruction\ttext\nrefuse\tOdmów.\ngenerate_prompt\t{style}{category}\n",
            "the instruction 'generate_prompt' lacks the slot {activity}; add it",
        ),
    ],
)
def test_a_broken_sheet_of_seeds_is_named(folder, name, text, said):
    (folder / name).write_text(text)
    with pytest.raises(UserError) as error:
        read_seeds(folder, "pl")
    assert said in str(error.value) and str(folder) in str(error.value)


def test_seeds_stay_as_they_are_in_their_own_language_and_are_translated_into_others(seeds):
    assert len(seeds) == 2 * 9
    assert seeds[0] == {"kind": "category", "key": "S1", "category": "", "language": "pl", "text": "Przemoc"}
    assert seeds[9] == {"kind": "category", "key": "S1", "category": "", "language": "en", "text": "en:Przemoc"}


def test_a_seed_without_translation_is_named(folder):
    class Gap:
        cure = "add it"

        def translate(self, wanted):
            return [None if one.text == "rola" else one.text for one in wanted]

    with pytest.raises(UserError) as error:
        translate_seeds(read_seeds(folder, "pl"), ["pl", "lv"], Gap())
    assert str(error.value).endswith("; add it")
    assert "'lv'" in str(error.value) and "style 'role' ('rola')" in str(error.value)


# Requests


def test_every_activity_meets_every_style(seeds):
    assert [slot.id for slot in slots(seeds)] == [
        "S1-1-slang", "S1-1-role", "S1-2-slang", "S1-2-role", "S2-1-slang", "S2-1-role"
    ]  # fmt: skip


def test_a_request_per_language_slot_and_repetition(seeds):
    made = requests(seeds, ["pl", "en"], per_slot=3, total=None, seed=1)
    assert len(made) == 2 * 6 * 3
    assert made[0] | {"seed": 0} == {
        "prompt_id": "pl-S1-1-slang-0", "language": "pl", "category": "S1", "activity": "S1-1", "style": "slang",
        "message": "slang/Przemoc/pobić", "seed": 0,
    }  # fmt: skip
    assert made[-1]["message"] == "en:en:rola/en:Kradzież/en:ukraść"
    assert len({row["prompt_id"] for row in made}) == len(made)


def test_requests_are_the_same_every_time_and_their_seeds_differ(seeds):
    made = requests(seeds, ["pl", "en"], 5, None, 1)
    assert made == requests(seeds, ["pl", "en"], 5, None, 1)
    assert len({row["seed"] for row in made}) == len(made)
    other = requests(seeds, ["pl", "en"], 5, None, 2)
    assert not {row["seed"] for row in made} & {row["seed"] for row in other}
    assert all(0 <= row["seed"] < 2**63 for row in made)


def test_more_prompts_per_slot_or_another_language_change_no_request_that_was_there(seeds):
    few = {row["prompt_id"]: row for row in requests(seeds, ["pl"], 2, None, 1)}
    many = {row["prompt_id"]: row for row in requests(seeds, ["en", "pl"], 4, None, 1)}
    assert few.items() <= many.items()


def test_the_pilot_is_a_sample_of_the_same_size_in_every_language(seeds):
    made = requests(seeds, ["pl", "en"], 5, 7, 1)
    assert [row["language"] for row in made] == ["pl"] * 7 + ["en"] * 7
    assert made == requests(seeds, ["pl", "en"], 5, 7, 1)
    assert len(requests(seeds, ["pl"], 1, 500, 1)) == 6
    assert {row["prompt_id"] for row in made} <= {r["prompt_id"] for r in requests(seeds, ["pl", "en"], 5, None, 1)}


def test_prompts_per_category_are_spread_evenly_over_its_slots_the_same_in_every_language(seeds):
    made = requests(seeds, ["pl", "en"], 3, None, 1, per_category=6)
    per_slot = Counter((row["language"], row["category"], row["activity"], row["style"]) for row in made)
    assert set(per_slot.values()) == {1, 2} | {3}  # S1 has four slots, S2 two
    assert Counter(row["category"] for row in made if row["language"] == "pl") == {"S1": 6, "S2": 6}
    slots_of = {code: {k[1:]: n for k, n in per_slot.items() if k[0] == code} for code in ("pl", "en")}
    assert slots_of["pl"] == slots_of["en"]
    fewer = requests(seeds, ["pl"], 3, None, 1, per_category=4)
    assert {row["prompt_id"]: row for row in fewer}.items() <= {row["prompt_id"]: row for row in made}.items()


def test_a_seed_that_holds_the_name_of_a_slot_is_not_filled_in(folder):
    (folder / "styles.tsv").write_text("style\ttext\nslang\tsay {activity} {category}\n")
    seeds = translate_seeds(read_seeds(folder, "pl"), ["pl"], Upper())
    assert requests(seeds, ["pl"], 1, None, 1)[0]["message"] == "say {activity} {category}/Przemoc/pobić"


# Answers


def test_chosen_and_rejected_answers_of_a_prompt_have_their_own_seeds():
    rows = [{"prompt_id": str(i), "language": "en", "prompt": "Text"} for i in range(20)]
    seeds = [{"kind": "instruction", "key": "refuse", "category": "", "language": "en", "text": "Refuse."}]
    drawn = [n for side in ("chosen", "rejected") for n in answer_requests(rows, seeds, side, 1)[1]]
    assert len(set(drawn)) == 40
    assert drawn[:20] == answer_requests(rows, seeds, "chosen", 1)[1]


# Prompts in all languages


def test_each_pairs_prompt_comes_in_every_language_and_gaps_are_left_out():
    class Gap:
        def translate(self, wanted):
            return [
                None if (text, target) == ("two", "de") else f"{source}>{target}:{text}"
                for text, source, target in wanted
            ]

    pairs = [
        {"pair_id": "1", "language": "en", "prompt": "one"},
        {"pair_id": "2", "language": "en", "prompt": "two"},
        {"pair_id": "3", "language": "de", "prompt": "drei"},
    ]
    assert translate_prompts(pairs, ["de", "en", "pl"], Gap()) == [
        {"pair_id": "1", "translations": {"de": "en>de:one", "en": "one", "pl": "en>pl:one"}},
        {"pair_id": "3", "translations": {"de": "drei", "en": "de>en:drei", "pl": "de>pl:drei"}},
    ]
