"""Which items belong together."""

from refuseu.analysis.dependence import clusters, request_slots, slots_of_items


def rows(*ids, slot=""):
    return [{"prompt_id": one, "language": one.split("-")[-2], "slot": slot} for one in ids]


def test_the_slot_comes_first_then_the_translated_prompt_then_the_prompt():
    ids = ("b-en-1", "b-de-1", "b-de-2")
    assert clusters(rows(*ids, slot="S1/slang"), "b", parallel=True) == ["S1/slang"] * 3
    assert clusters(rows(*ids), "b", parallel=True) == ["1", "1", "2"]
    assert clusters(rows(*ids), "b", parallel=False) == ["en/b-en-1", "de/b-de-1", "de/b-de-2"]


def test_questions_keep_their_id_in_every_language():
    questions = [{"prompt_id": "anatomy/test/3", "language": code, "slot": ""} for code in ("en", "de")]
    assert clusters(questions, "global_mmlu", parallel=True) == ["anatomy/test/3"] * 2
    assert len(set(clusters(questions, "global_mmlu", parallel=False))) == 2


def test_generated_prompts_and_audited_items_name_their_slot():
    assert request_slots([{"prompt_id": "pl-S1-2-slang-4", "language": "pl"}]) == ["S1-2-slang"]
    key = [
        {"item": "i1", "category": "S1", "style": "slang"},
        {"item": "i2", "category": "S1", "style": ""},
    ]
    assert slots_of_items(key) == {"i1": "S1/slang", "i2": "i2"}
