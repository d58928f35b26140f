"""Translation: the memory, the DeepL client against a server on this machine, and the journal before it."""

import json

import pytest
from helpers import CODES, ROOT
from hypothesis import given
from hypothesis import strategies as st

from refuseu.errors import UserError
from refuseu.translate import BYTES_PER_REQUEST, DeepL, Journaled, Memory, chunks, protect, translator, unprotect

CANARY = "canary-key-42:fx"
MEMORY = """id\tpl\ten\tde
category/S1\tPrzemoc\tViolence\tGewalt
activity/S1-1\tobrabować bank\trob a bank\teine Bank ausrauben
frame/slang/0\tZiom, {activity} (serio)?\tYo, {activity} (really)?\tAlter, {activity} (echt)?
"""


@pytest.fixture
def memory(tmp_path):
    (tmp_path / "memory.tsv").write_text(MEMORY, encoding="utf-8")
    return str(tmp_path / "memory.tsv")


# The memory


def test_the_memory_knows_its_segments_in_every_direction(memory):
    assert Memory(memory).translate(["Przemoc", "obrabować bank"], "pl", "en") == ["Violence", "rob a bank"]
    assert Memory(memory).translate(["eine Bank ausrauben"], "de", "pl") == ["obrabować bank"]


def test_a_slot_is_filled_with_the_translation_of_what_filled_it(memory):
    text = ["Ziom, obrabować bank (serio)?", "Ziom, {activity} (serio)?"]
    assert Memory(memory).translate(text, "pl", "de") == [
        "Alter, eine Bank ausrauben (echt)?",
        "Alter, {activity} (echt)?",
    ]


@pytest.mark.parametrize(
    "text",
    ["", "Przemoc ", "przemoc", "Ziom, uprawiać ogród (serio)?", "Ziom, obrabować bank (serio)? Tak.", "Inne"],
)
def test_what_the_memory_does_not_know_is_none_and_never_a_guess(memory, text):
    assert Memory(memory).translate([text, "Przemoc"], "pl", "en") == [None, "Violence"]


def test_a_language_without_a_column_is_named(memory):
    with pytest.raises(UserError) as error:
        Memory(memory).translate(["Przemoc"], "pl", "lv")
    assert str(error.value) == f"{memory} has no column 'lv'; add one with the translations into that language"


def test_segments_of_a_kind_come_by_the_rest_of_their_id(memory):
    assert Memory(memory).segments("frame", "en") == {"slang/0": "Yo, {activity} (really)?"}
    assert Memory(memory).segments("activity", "de") == {"S1-1": "eine Bank ausrauben"}


def test_the_bundled_memory_translates_every_activity_in_every_frame():
    memory = Memory(ROOT / "resources/miniature/translation_memory.tsv")
    for target in CODES:
        if target != "en":
            english = [
                frame.replace("{activity}", activity)
                for frame in memory.segments("frame", "en").values()
                for activity in memory.segments("activity", "en").values()
            ]
            found = memory.translate(english, "en", target)
            assert None not in found
            assert len(set(found)) == len(set(english)) == 20 * 38


# What DeepL is sent


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=400), max_size=130))
def test_chunks_keep_every_text_in_order_within_the_limits(texts):
    parts = chunks(texts)
    assert [text for part in parts for text in part] == texts
    assert all(len(part) <= 50 for part in parts)


def test_chunks_hold_at_most_fifty_texts_and_no_more_bytes_than_deepl_takes():
    assert [len(part) for part in chunks(["a"] * 120)] == [50, 50, 20]
    half = "a" * (BYTES_PER_REQUEST // 2 - 2)  # with its quotes exactly half
    assert [len(part) for part in chunks([half] * 5)] == [2, 2, 1]
    # One emoji is 12 bytes of JSON: a pair of escaped surrogates.
    emoji = "🙂" * (BYTES_PER_REQUEST // 24)
    assert [len(part) for part in chunks([emoji] * 4)] == [1, 1, 1, 1]
    assert [len(part) for part in chunks(["b", "a" * 2 * BYTES_PER_REQUEST, "c"])] == [1, 1, 1]


@given(st.text() | st.text("{}_abc<>&;/slotampgl"))
def test_what_is_protected_comes_back_as_it_was(text):
    assert unprotect(protect(text)) == text


def test_slots_become_elements_and_the_rest_is_escaped():
    assert protect("a < b & {activity} > {c_d} {E}") == (
        "a &lt; b &amp; <slot>{activity}</slot> &gt; <slot>{c_d}</slot> {E}"
    )
    assert unprotect("Wert <slot>{activity}</slot> &lt;1&gt; &amp;lt;") == "Wert {activity} <1> &lt;"


# DeepL, against a server that speaks its protocol


def form(body):
    """What a request to /v2/translate holds."""
    return json.loads(body)


def translations(*texts):
    """An answer of /v2/translate."""
    rows = [{"detected_source_language": "PL", "text": text, "billed_characters": len(text)} for text in texts]
    return {"translations": rows}


class FakeDeepL:
    """Translates by writing the target in front; `status` of each translation request, then 200."""

    def __init__(self, serve, count=0, limit=500_000, statuses=()):
        self.count, self.limit, self.statuses = count, limit, list(statuses)
        self.server = serve(self.reply)
        self.url = self.server.url

    def reply(self, path, headers, body):
        if CANARY not in headers.get("Authorization", ""):
            return 403, {"message": "forbidden"}
        if path == "/v2/usage":
            return 200, {"character_count": self.count, "character_limit": self.limit}
        if self.statuses and (status := self.statuses.pop(0)) != 200:
            return status, {"message": "no"}
        asked = form(body)
        self.count += sum(map(len, asked["text"]))
        return 200, translations(*(f"{asked['target_lang']} {text}" for text in asked["text"]))

    @property
    def sent(self):
        """Texts of each translation request."""
        return [form(body)["text"] for _, _, body in self.server.paths("/v2/translate")]


@pytest.fixture
def key(monkeypatch):
    monkeypatch.setenv("DEEPL_AUTH_KEY", CANARY)


def settings(fake):
    return {"backend": "deepl", "memory": None, "server_url": fake.url}


def deepl(url, texts, source="pl", target="de"):
    return list(DeepL(url).translate(texts, source, target))


def refused(call, *args):
    with pytest.raises(UserError) as error:
        call(*args)
    assert CANARY not in str(error.value) and "\n" not in str(error.value)
    return str(error.value)


def test_deepl_translates_in_order_and_keeps_slots_and_marks(serve, key):
    fake = FakeDeepL(serve)
    texts = ["Zrób {activity} & <b>", "Drugi"]
    assert deepl(fake.url, texts, target="pt") == ["PT-PT Zrób {activity} & <b>", "PT-PT Drugi"]
    [(_, _, body)] = fake.server.paths("/v2/translate")
    asked = str(form(body))
    for part in ("PL", "PT-PT", "xml", "slot", "<slot>{activity}</slot> &amp; &lt;b&gt;"):
        assert part in asked


def test_many_texts_go_in_requests_of_fifty(serve, key):
    fake = FakeDeepL(serve)
    texts = [f"tekst {n}" for n in range(120)]
    assert deepl(fake.url, texts) == [f"DE {text}" for text in texts]
    assert [len(part) for part in fake.sent] == [50, 50, 20]


def test_a_key_that_deepl_refuses_is_told_without_the_key(serve, monkeypatch):
    monkeypatch.setenv("DEEPL_AUTH_KEY", "other-canary")
    fake = FakeDeepL(serve)
    message = refused(deepl, fake.url, ["a"])
    assert message == "DeepL refused the key in DEEPL_AUTH_KEY; check it"


def test_without_a_key_the_sentence_says_which_variable_to_set(monkeypatch):
    monkeypatch.delenv("DEEPL_AUTH_KEY", raising=False)
    message = refused(DeepL, None)
    assert "set DEEPL_AUTH_KEY" in message and "dataset.translation.backend" in message


def test_a_used_up_quota_says_how_much_is_left_to_do(serve, key):
    fake = FakeDeepL(serve, statuses=[200, 456])
    message = refused(deepl, fake.url, ["a"] * 120)
    assert "quota is used up" in message and "70 texts" in message and "kept" in message


def test_a_quota_that_would_not_suffice_is_seen_before_anything_is_sent(serve, key):
    fake = FakeDeepL(serve, count=95, limit=100)
    message = refused(deepl, fake.url, ["abcdef", "gh"])
    assert message.startswith("translating 8 characters would exceed DeepL's quota by 3;")
    assert fake.sent == []
    assert deepl(fake.url, ["abcde"]) == ["DE abcde"]


def test_too_many_requests_are_tried_again(serve, key):
    fake = FakeDeepL(serve, statuses=[429, 200])
    assert deepl(fake.url, ["a"]) == ["DE a"]
    assert len(fake.sent) == 2


def test_a_language_that_deepl_does_not_have_is_named(serve, key):
    message = refused(deepl, FakeDeepL(serve).url, ["a"], "pl", "hr")
    assert "'pl' into 'hr'" in message and "resources/languages.tsv" in message


def test_a_slot_that_was_lost_is_an_error(serve, key):
    server = serve(
        lambda path, *_: (
            (200, {"character_count": 0, "character_limit": 9000})
            if path == "/v2/usage"
            else (200, translations("gone"))
        )
    )
    assert "lost a slot of 'Zrób {activity}' in 'gone'" in refused(deepl, server.url, ["Zrób {activity}"])


# Through the journal


def test_no_character_is_paid_for_twice(serve, key, tmp_path):
    fake = FakeDeepL(serve)
    for texts in (["a", "b", "a"], ["a", "b", "a"], ["b", "c"]):
        journaled = Journaled(settings(fake), tmp_path / "journal.jsonl")
        assert journaled.translate(texts, "pl", "de") == [f"DE {text}" for text in texts]
    assert fake.sent == [["a", "b"], ["c"]]


def test_another_language_is_another_question(serve, key, tmp_path):
    fake = FakeDeepL(serve)
    journaled = Journaled(settings(fake), tmp_path / "journal.jsonl")
    assert journaled.translate(["a"], "pl", "de") == ["DE a"]
    assert journaled.translate(["a"], "pl", "fr") == ["FR a"]
    assert journaled.translate(["a"], "cs", "de") == ["DE a"]
    assert len(fake.sent) == 3


def test_when_the_quota_ends_what_was_translated_is_kept(serve, key, tmp_path):
    texts = [f"tekst {n}" for n in range(120)]
    fake = FakeDeepL(serve, statuses=[200, 456])
    message = refused(Journaled(settings(fake), tmp_path / "j.jsonl").translate, texts, "pl", "de")
    assert "quota is used up" in message and "70 texts" in message
    fake.statuses = []
    assert Journaled(settings(fake), tmp_path / "j.jsonl").translate(texts, "pl", "de") == [f"DE {t}" for t in texts]
    assert fake.sent[2:] == [texts[50:100], texts[100:]]


def test_the_quota_is_held_against_all_that_is_missing_before_anything_is_paid(serve, key, tmp_path):
    texts = [f"tekst {n:03}" for n in range(120)]  # 9 characters each
    fake = FakeDeepL(serve, limit=60 * 9)
    message = refused(Journaled(settings(fake), tmp_path / "j.jsonl").translate, texts, "pl", "de")
    assert "translating 1080 characters would exceed DeepL's quota by 540" in message
    assert fake.sent == []


def test_a_memory_is_never_journaled_because_it_may_be_mended(memory, tmp_path):
    local = {"backend": "memory", "memory": memory, "server_url": None}
    journaled = Journaled(local, tmp_path / "journal.jsonl")
    assert journaled.translate(["Przemoc", "Inne"], "pl", "en") == ["Violence", None]
    assert not (tmp_path / "journal.jsonl").exists()


def test_a_memory_that_is_not_named_is_asked_for():
    with pytest.raises(UserError, match=r"dataset\.translation\.memory is empty; name a translation memory"):
        translator("memory", None, None)
