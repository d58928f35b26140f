"""Translation: the memory, the DeepL client against a server on this machine, and the journal before it."""

import io
import json
import logging
import multiprocessing
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refuseu.dataset import deepl as client
from refuseu.dataset.deepl import BYTES_PER_REQUEST, DeepL, chunks, protect, unprotect
from refuseu.dataset.memory import Memory
from refuseu.dataset.prompt_translations import translate_prompts
from refuseu.dataset.seeds import translate_seeds
from refuseu.dataset.translation import Journaled, translator
from refuseu.dataset.translator import Wanted
from refuseu.errors import UserError
from refuseu.job import progress
from refuseu.job.journal import Journal
from refuseu.job.paths import translations_path
from support.deepl_server import BYTES, DeepLServer
from support.helpers import CODES, ROOT

CANARY = "canary-key-42:fx"
MEMORY = """id\tpl\ten\tde
category/S1\tPrzemoc\tViolence\tGewalt
activity/S1-1\tobrabować bank\trob a bank\teine Bank ausrauben
frame/slang/0\tZiom, {activity} (serio)?\tYo, {activity} (really)?\tAlter, {activity} (echt)?
"""


def wanted(texts, source="pl", target="de"):
    return [Wanted(text, source, target) for text in texts]


@pytest.fixture
def memory(tmp_path):
    (tmp_path / "memory.tsv").write_text(MEMORY, encoding="utf-8")
    return str(tmp_path / "memory.tsv")


# The memory


def test_the_memory_knows_its_segments_in_every_direction(memory):
    assert Memory(memory).translate(wanted(["Przemoc", "obrabować bank"], "pl", "en")) == ["Violence", "rob a bank"]
    assert Memory(memory).translate(wanted(["eine Bank ausrauben"], "de", "pl")) == ["obrabować bank"]


def test_a_slot_is_filled_with_the_translation_of_what_filled_it(memory):
    text = ["Ziom, obrabować bank (serio)?", "Ziom, {activity} (serio)?"]
    assert Memory(memory).translate(wanted(text, "pl", "de")) == [
        "Alter, eine Bank ausrauben (echt)?",
        "Alter, {activity} (echt)?",
    ]


@pytest.mark.parametrize(
    "text",
    ["", "Przemoc ", "przemoc", "Ziom, uprawiać ogród (serio)?", "Ziom, obrabować bank (serio)? Tak.", "Inne"],
)
def test_what_the_memory_does_not_know_is_none_and_never_a_guess(memory, text):
    assert Memory(memory).translate(wanted([text, "Przemoc"], "pl", "en")) == [None, "Violence"]


def test_a_language_without_a_column_is_named(memory):
    with pytest.raises(UserError) as error:
        Memory(memory).translate(wanted(["Przemoc"], "pl", "lv"))
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
            found = memory.translate(wanted(english, "en", target))
            assert None not in found
            assert len(set(found)) == len(set(english)) == 20 * 38


# What DeepL is sent


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=400), max_size=130))
def test_chunks_keep_every_text_in_order_within_the_limits(texts):
    parts = chunks(wanted(texts))
    assert [one.text for part in parts for one in part] == texts
    assert all(0 < len(part) <= 50 for part in parts)


def sizes(*texts):
    return [len(part) for part in chunks(wanted(texts))]


def test_chunks_hold_at_most_fifty_texts_and_no_more_bytes_than_deepl_takes():
    assert sizes() == []
    assert sizes(*["a"] * 120) == [50, 50, 20]
    half = "a" * (BYTES_PER_REQUEST // 2 - 4)  # with quotes, comma and blank exactly half
    assert sizes(*[half] * 5) == [2, 2, 1]
    assert sizes(half + "a", half) == [1, 1]
    # The client writes an emoji as two escaped surrogates, 12 bytes, and "&" as 5.
    assert sizes(*["🙂" * (BYTES_PER_REQUEST // 24 + 1)] * 4) == [1] * 4
    assert sizes(*["&" * (BYTES_PER_REQUEST // 10 + 1)] * 4) == [1] * 4


def test_a_request_is_for_one_pair_of_languages():
    texts = [Wanted("a", "pl", "de"), Wanted("b", "pl", "de"), Wanted("b", "pl", "fr"), Wanted("c", "cs", "fr")]
    assert chunks(texts) == [texts[:2], texts[2:3], texts[3:]]


def test_a_text_that_no_request_can_hold_is_named():
    message = refused(chunks, wanted(["b", "Ala " * 50_000]))
    assert message.startswith("the text 'Ala Ala ") and message.endswith("which takes 130048; shorten it")
    assert "takes 200004 bytes" in message and len(message) < 200


@given(st.text() | st.text('{}_abc<>&;/slotampgl# \r\n\x00\x01\uffff"1n='))
def test_what_is_protected_comes_back_as_it_was(text):
    assert unprotect(protect(text)) == text


def test_slots_become_elements_and_the_rest_is_escaped():
    assert protect("a < b & {activity} > {c_d} {E}") == (
        "a &lt; b &amp; <slot>{activity}</slot> &gt; <slot>{c_d}</slot> {E}"
    )
    assert protect("a\r\n\x01") == 'a<char n="13"/>\n<char n="1"/>'
    assert unprotect("Wert <slot>{activity}</slot> &lt;1&gt; &amp;lt;") == "Wert {activity} <1> &lt;"
    assert unprotect('a<char n="13" />\n<char n="1"></char>') == "a\r\n\x01"


# DeepL, against a server that speaks its protocol


@pytest.fixture
def server(serve, monkeypatch):
    """Start DeepL on this machine: `server(faults=…)`; its key is set, and the client waits for no second."""
    import deepl

    monkeypatch.setenv("DEEPL_AUTH_KEY", CANARY)
    monkeypatch.setattr(deepl.http_client._BackoffTimer, "BACKOFF_INITIAL", 0.01)
    monkeypatch.setattr(client, "RETRIES", 2)
    started = []

    def start(**settings):
        started.append(DeepLServer(CANARY, **settings))
        return started[-1]

    yield start
    for one in started:
        one.server.shutdown()
        one.server.server_close()


def settings(server, **more):
    return {"backend": "deepl", "memory": None, "server_url": server.url, "target_codes": {}} | more


def ask(server, texts, source="pl", target="de", codes=None):
    return list(DeepL(server.url, codes or {}).translate(wanted(texts, source, target)))


def refused(call, *args):
    with pytest.raises(UserError) as error:
        call(*args)
    assert CANARY not in str(error.value) and "\n" not in str(error.value)
    return str(error.value)


def test_deepl_translates_in_order_and_keeps_slots_and_marks(server):
    deepl = server()
    texts = ["Zrób {activity} & <b>", "{activity}: drugi\r\n\x01"]
    assert ask(deepl, texts, target="pt") == [f"PT-PT {text}" for text in texts]
    assert deepl.asked == [
        {
            "text": [
                "Zrób <slot>{activity}</slot> &amp; &lt;b&gt;",
                '<slot>{activity}</slot>: drugi<char n="13"/>\n<char n="1"/>',
            ],
            "source_lang": "PL", "target_lang": "PT-PT", "tag_handling": "xml", "ignore_tags": ["slot"],
            "show_billed_characters": True,
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("target", "codes", "sent"),
    [
        ("en", {}, "EN-GB"),
        ("en", {"en": "EN-US"}, "EN-US"),
        ("pt", {"pt": "PT-BR"}, "PT-BR"),
        ("sl", {"en": "EN-US"}, "SL"),
    ],
)
def test_where_a_language_has_variants_the_config_chooses(server, target, codes, sent):
    deepl = server()
    assert ask(deepl, ["Raz"], "pl", target, codes) == [f"{sent} Raz"]
    assert ask(deepl, ["one"], "en", "de", codes) == ["DE one"]
    assert [request["source_lang"] for request in deepl.asked] == ["PL", "EN"]


def test_many_texts_go_in_requests_of_fifty(server):
    deepl = server()
    texts = [f"tekst {n}" for n in range(120)]
    assert ask(deepl, texts) == [f"DE {text}" for text in texts]
    assert [len(request["text"]) for request in deepl.asked] == [50, 50, 20]


@pytest.mark.parametrize("unit", ["a", "&", "🙂", "{ab} ", '"', "\x01"])
def test_a_body_as_it_is_sent_fits_into_what_deepl_takes(server, unit):
    deepl = server(limit=10**9)
    bytes_each = len(json.dumps(protect(unit))) - 2
    for texts in (["x" + unit * (BYTES_PER_REQUEST // 3 // bytes_each)] * 5, ["x" + unit * (6000 // bytes_each)] * 50):
        assert ask(deepl, texts) == [f"DE {text}" for text in texts]
    largest = max(len(body) for _, _, body in deepl.paths("/v2/translate"))
    assert BYTES * 0.9 < largest <= BYTES


@pytest.mark.parametrize("text", ["", " \n\t", "{activity}", "123 {activity}?!", "🙂 …"])
def test_where_nothing_is_to_translate_nothing_is_sent(server, text):
    deepl = server(limit=6)
    assert ask(deepl, [text, "Raz", text, "dwa"]) == [text, "DE Raz", text, "DE dwa"]
    assert deepl.texts == [("Raz", "DE"), ("dwa", "DE")]
    assert ask(deepl, [text]) == [text]
    assert len(deepl.requests) == 4  # languages, usage, translation; the second time not even that


def test_a_language_that_deepl_does_not_have_is_named_before_anything_is_sent(server):
    deepl = server()
    message = refused(list, DeepL(deepl.url, {}).translate([Wanted("a", "pl", "de"), Wanted("a", "pl", "hr")]))
    assert "'pl' into 'hr'" in message and "resources/languages.tsv" in message
    assert deepl.requests == []


# What can go wrong


def test_without_a_key_the_sentence_says_which_variable_to_set(server, monkeypatch):
    monkeypatch.delenv("DEEPL_AUTH_KEY")
    message = refused(ask, server(), ["a"])
    assert "set DEEPL_AUTH_KEY" in message and "dataset.translation.backend" in message


def test_a_key_that_deepl_refuses_is_told_without_the_key(server, monkeypatch):
    monkeypatch.setenv("DEEPL_AUTH_KEY", "other-canary")
    message = refused(ask, server(), ["a"])
    assert message == (
        "DeepL refused the key in DEEPL_AUTH_KEY; check it (1 texts are left, translations so far are kept)"
    )


def test_a_quota_that_would_not_suffice_is_seen_before_anything_is_sent(server):
    deepl = server(count=95, limit=100)
    message = refused(ask, deepl, ["abcdef", "gh"])
    assert message.startswith("translating 8 characters would exceed DeepL's quota by 3;")
    assert deepl.asked == []
    assert ask(deepl, ["abcde"]) == ["DE abcde"]
    assert deepl.count == 100


def test_tags_are_not_billed_and_characters_are_code_points(server):
    deepl = server()
    texts = ["Zażółć", "🙂 a {b}\r\x01"]
    ask(deepl, texts)
    assert deepl.count == 6 + 7
    deepl.limit = 2 * deepl.count
    ask(deepl, texts)
    assert "13 characters would exceed DeepL's quota by 13;" in refused(ask, deepl, texts)


FAULTS = [
    (403, 1, "DeepL refused the key in DEEPL_AUTH_KEY; check it"),
    (456, 1, "DeepL says that the quota is used up; raise it or wait for the next month"),
    (413, 1, "DeepL answered 413; correct dataset.translation or the texts"),
    (400, 1, "DeepL answered 400; correct dataset.translation or the texts"),
    (429, 3, "DeepL took no more requests after 2 retries; run again later"),
    ((429, {"Retry-After": "1"}), 3, "DeepL took no more requests after 2 retries; run again later"),
    (500, 3, "DeepL answered 500; run again later"),
    (503, 3, "DeepL answered 503; run again later"),
    ("drop", 3, "DeepL cannot be reached or gave no whole answer in time; run again when the network and"),
    ("slow", 3, "DeepL cannot be reached or gave no whole answer in time; run again when the network and"),
    ("cut", 1, "DeepL cannot be reached or gave no whole answer in time; run again when the network and"),
]


@pytest.mark.parametrize(("fault", "requests", "said"), FAULTS, ids=lambda value: str(value)[:22])
def test_a_failure_is_one_sentence_and_what_was_translated_before_is_kept(
    server, tmp_path, monkeypatch, caplog, fault, requests, said
):
    caplog.set_level(logging.INFO)  # that of every job
    monkeypatch.setattr(client, "TIMEOUT", 0.1)
    deepl = server(faults=[None, *[fault] * requests])
    deepl.slowness = 0.3
    texts = [f"tekst {n}" for n in range(120)]
    message = refused(Journaled(settings(deepl), tmp_path / "j.jsonl").translate, wanted(texts))
    assert message.startswith(said) and message.endswith("(70 texts are left, translations so far are kept)")
    assert len(deepl.asked) == 1 + requests  # tried again where that can help
    assert len(Journal(tmp_path / "j.jsonl").records) == 50
    assert Journaled(settings(deepl), tmp_path / "j.jsonl").translate(wanted(texts)) == [f"DE {t}" for t in texts]
    assert sorted(deepl.texts) == sorted((text, "DE") for text in texts)  # each once
    assert CANARY not in caplog.text + (tmp_path / "j.jsonl").read_text()


@pytest.mark.parametrize("fault", [429, (429, {"Retry-After": "1"}), 503, "drop", "slow"], ids=str)
def test_what_passes_is_tried_again(server, monkeypatch, fault):
    monkeypatch.setattr(client, "TIMEOUT", 0.1)
    deepl = server(faults=[fault, fault])
    deepl.slowness = 0.3
    assert ask(deepl, ["a"]) == ["DE a"]
    assert len(deepl.asked) == 3


def test_a_server_that_is_not_there_is_told(server):
    deepl = server()
    deepl.server.shutdown()
    deepl.server.server_close()
    message = refused(ask, deepl, ["a"])
    assert message.startswith("DeepL cannot be reached")
    assert message.endswith("(1 texts are left, translations so far are kept)")


def test_a_server_that_is_not_deepl_is_told(serve, server):
    message = refused(ask, serve(lambda *_: (200, {"hello": "world"})), ["a"])
    assert message.startswith("DeepL answered with something else than translations; run again later")


@pytest.mark.parametrize("around", ["{}\n", "{}\r\n", " {} "])
def test_a_key_is_read_without_what_surrounds_it(server, monkeypatch, around):
    monkeypatch.setenv("DEEPL_AUTH_KEY", around.format(CANARY))
    assert ask(server(), ["a"]) == ["DE a"]


@pytest.mark.parametrize("key", ["", " ", "\n\t"])
def test_a_blank_key_is_none(server, monkeypatch, key):
    monkeypatch.setenv("DEEPL_AUTH_KEY", key)
    assert "translation with DeepL needs a key; set DEEPL_AUTH_KEY" in refused(ask, server(), ["a"])


@pytest.mark.parametrize("added", [" b", "\nb", "\u0142", "\u201d", "\x7f"])
def test_a_key_that_no_header_can_hold_is_told_before_anything_is_sent(server, monkeypatch, added):
    deepl = server()
    monkeypatch.setenv("DEEPL_AUTH_KEY", CANARY + added)
    message = refused(ask, deepl, ["a"])
    assert message == "DEEPL_AUTH_KEY holds a blank or a character beyond ASCII; set it to the key alone"
    assert deepl.requests == []


def test_a_code_that_deepl_does_not_have_is_named_before_the_first_paid_request(server, tmp_path):
    deepl = server()
    journaled = Journaled(settings(deepl, target_codes={"sl": "SLV"}), tmp_path / "j.jsonl")
    pairs = [{"pair_id": str(n), "language": "en", "prompt": f"text {n}"} for n in range(600)]
    message = refused(translate_prompts, pairs, ["en", "de", "sl"], journaled)
    assert message.startswith("DeepL has no target language 'SLV', which stands for Slovene ('sl'); nothing was sent,")
    assert "dataset.translation.target_codes" in message
    assert deepl.asked == [] and deepl.count == 0


def test_what_earlier_runs_translated_is_not_called_lost(server, tmp_path):
    deepl = server(faults=[None, 456, 456])
    for left in (70, 70):
        message = refused(
            Journaled(settings(deepl), tmp_path / "j.jsonl").translate, wanted(f"tekst {n}" for n in range(120))
        )
        assert message.endswith(f"({left} texts are left, translations so far are kept)")
    assert len(deepl.texts) == 50


def test_a_quota_that_counts_otherwise_and_breaks_in_the_middle_keeps_what_was_paid(server, tmp_path):
    texts = [f"{{a}} tekst {n:03}" for n in range(120)]
    deepl = server(bills_tags=True, limit=120 * 15)
    message = refused(Journaled(settings(deepl), tmp_path / "j.jsonl").translate, wanted(texts))
    assert message.startswith("DeepL says that the quota is used up") and "(70 texts are left" in message
    deepl.limit *= 4
    assert len(Journaled(settings(deepl), tmp_path / "j.jsonl").translate(wanted(texts))) == 120
    assert len(deepl.texts) == len(set(deepl.texts)) == 120


@pytest.mark.parametrize("fault", [429, 503, "drop", "slow"])
def test_a_server_that_fails_before_the_first_text_is_tried_again_and_then_told(server, monkeypatch, fault):
    monkeypatch.setattr(client, "TIMEOUT", 0.1)
    deepl = server(anywhere=[fault] * 2)
    deepl.slowness = 0.3
    assert ask(deepl, ["a"]) == ["DE a"]
    deepl.anywhere = [fault] * 9
    assert refused(ask, deepl, ["b"]).endswith("(1 texts are left, translations so far are kept)")


def test_a_translation_that_is_its_source_is_one(server, tmp_path):
    deepl = server(echo=True)
    for _ in range(2):
        assert Journaled(settings(deepl), tmp_path / "j.jsonl").translate(wanted(["Ala {a} <"])) == ["Ala {a} <"]
    assert len(deepl.texts) == 1


@pytest.mark.parametrize("fault", [429, 503, "drop", "slow"])
def test_who_waits_at_the_terminal_is_told_that_deepl_is_asked_again(server, monkeypatch, fault):
    terminal = io.StringIO()
    monkeypatch.setattr(progress, "terminal", terminal)
    monkeypatch.setattr(progress, "waiting_told", -progress.PATIENCE)
    monkeypatch.setattr(client, "TIMEOUT", 0.1)
    deepl = server(faults=[fault, fault])
    deepl.slowness = 0.3
    ask(deepl, ["a"])
    assert terminal.getvalue() == "DeepL gave no answer, asked again in 0 s (1 of 2 times)\n"  # and the second is soon
    assert not logging.getLogger("deepl").handlers


# Slots


def loses_slots(serve):
    """A DeepL that forgets the slots."""
    usage = {"character_count": 0, "character_limit": 9000}

    def reply(path, headers, body):
        if path == "/v2/usage":
            return 200, usage
        if path.startswith("/v2/languages"):
            return 200, [{"language": code, "name": code} for code in ("PL", "DE")]
        texts = [text.replace("<slot>{activity}</slot>", "") for text in json.loads(body)["text"]]
        rows = [{"detected_source_language": "PL", "text": text, "billed_characters": 1} for text in texts]
        return 200, {"translations": rows}

    return serve(reply)


SEEDS = [
    {"kind": "style", "key": "slang", "category": "", "language": "pl", "text": "Gwara"},
    {"kind": "instruction", "key": "generate_prompt", "category": "", "language": "pl", "text": "Napisz {activity}"},
]


def test_a_seed_whose_slot_was_lost_is_named_and_not_paid_for_again(serve, server, tmp_path, caplog):
    deepl = loses_slots(serve)
    for _ in range(2):
        journaled = Journaled(settings(deepl), tmp_path / "j.jsonl")
        message = refused(translate_seeds, SEEDS, ["pl", "de"], journaled)
        assert message == (
            "the instruction 'generate_prompt' ('Napisz {activity}') has no translation into 'de' that keeps its "
            "slots; reword the seed; what DeepL answered is kept, so that another run would find it again"
        )
    assert "the slots of 'Napisz {activity}' are not those of its translation into 'de': 'Napisz '" in caplog.text
    assert len(deepl.paths("/v2/translate")) == 1


def test_a_prompt_whose_slot_was_lost_is_left_out(serve, server, tmp_path):
    pairs = [{"pair_id": str(n), "language": "pl", "prompt": text} for n, text in enumerate(["Raz", "Raz {activity}"])]
    journaled = Journaled(settings(loses_slots(serve)), tmp_path / "j.jsonl")
    assert translate_prompts(pairs, ["pl", "de"], journaled) == [
        {"pair_id": "0", "translations": {"pl": "Raz", "de": "Raz"}}
    ]


def test_a_memory_that_lost_a_slot_is_no_translation(tmp_path):
    (tmp_path / "m.tsv").write_text("id\tpl\tde\na\tRób {x_y}\tMach\n")
    local = {"backend": "memory", "memory": str(tmp_path / "m.tsv"), "server_url": None, "target_codes": {}}
    assert Journaled(local, tmp_path / "j.jsonl").translate(wanted(["Rób {x_y}"])) == [None]


# Through the journal


def test_no_character_is_paid_for_twice(server, tmp_path):
    deepl = server()
    for texts in (["a", "b", "a"], ["a", "b", "a"], ["b", "c"]):
        journaled = Journaled(settings(deepl), tmp_path / "journal.jsonl")
        assert journaled.translate(wanted(texts)) == [f"DE {text}" for text in texts]
    assert [request["text"] for request in deepl.asked] == [["a", "b"], ["c"]]
    assert deepl.count == 3


def test_another_language_or_variant_is_another_question(server, tmp_path):
    deepl = server()
    asked = [(["pl", "en"], {}), (["pl", "fr"], {}), (["cs", "en"], {}), (["pl", "en"], {"en": "EN-US"})]
    for _ in range(2):
        for pair, codes in asked:
            journaled = Journaled(settings(deepl, target_codes=codes), tmp_path / "journal.jsonl")
            journaled.translate([Wanted("a", *pair)])
    assert [(request["source_lang"], request["target_lang"]) for request in deepl.asked] == [
        ("PL", "EN-GB"), ("PL", "FR"), ("CS", "EN-GB"), ("PL", "EN-US")
    ]  # fmt: skip


def test_the_quota_is_held_against_all_languages_of_seeds_before_anything_is_paid(server, tmp_path):
    deepl = server(limit=200)
    languages = ["pl", *[code for code in CODES if code != "pl"]]
    # 5 + 17 characters, in 11 languages.
    message = refused(translate_seeds, SEEDS, languages, Journaled(settings(deepl), tmp_path / "j.jsonl"))
    assert message.startswith("translating 242 characters would exceed DeepL's quota by 42;")
    assert deepl.asked == []
    deepl.limit = 242
    records = translate_seeds(SEEDS, languages, Journaled(settings(deepl), tmp_path / "j.jsonl"))
    assert deepl.count == 242
    assert [row["text"] for row in records[:4]] == [
        "Gwara",
        "Napisz {activity}",
        "EN-GB Gwara",
        "EN-GB Napisz {activity}",
    ]
    # What the journal holds costs nothing more.
    assert translate_seeds(SEEDS, languages, Journaled(settings(deepl), tmp_path / "j.jsonl")) == records
    assert deepl.count == 242


def test_the_quota_is_held_against_all_languages_of_prompts_before_anything_is_paid(server, tmp_path):
    texts = {"1": ("en", "One"), "2": ("de", "Zwei"), "3": ("en", "Three")}
    pairs = [{"pair_id": key, "language": code, "prompt": text} for key, (code, text) in texts.items()]
    deepl = server(limit=23)
    # 3 and 5 into de and pl, 4 into en and pl: 24.
    message = refused(translate_prompts, pairs, ["en", "de", "pl"], Journaled(settings(deepl), tmp_path / "j.jsonl"))
    assert message.startswith("translating 24 characters would exceed DeepL's quota by 1;")
    assert deepl.asked == []
    deepl.limit = 24
    found = translate_prompts(pairs, ["en", "de", "pl"], Journaled(settings(deepl), tmp_path / "j.jsonl"))
    assert found[1] == {"pair_id": "2", "translations": {"en": "EN-GB Zwei", "de": "Zwei", "pl": "PL Zwei"}}
    assert deepl.count == 24


def routes(store, deepl):
    """What a study asks for: its seeds, and two routes of which one has all that the other has."""
    pairs = [{"pair_id": f"{code}{n}", "language": code, "prompt": f"{code} {n}"} for code in ["en", "de"]
             for n in range(30)]  # fmt: skip
    for name, sources in {"seeds": (), "short": ("en",), "long": ("en", "de")}.items():
        journaled = Journaled(settings(deepl), translations_path(store / f"translate_{name}" / "a.jsonl"))
        if name == "seeds":
            yield translate_seeds(SEEDS, ["pl", "de", "en"], journaled)
        else:
            own = [pair for pair in pairs if pair["language"] in sources]
            yield translate_prompts(own, ["en", "de", "pl"], journaled)


def test_all_that_translate_share_one_store_and_no_text_is_paid_for_twice(server, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    deepl = server()
    study = Path("results/paper")
    *_, short, long = routes(study, deepl)
    assert [row for row in long if row["pair_id"].startswith("en")] == short
    assert len(deepl.texts) == len(set(deepl.texts)) == 2 * len(SEEDS) + 2 * 60
    assert [file.name for file in study.rglob("*.jsonl")] == ["deepl.jsonl"]
    asked = len(deepl.requests)
    assert list(routes(study, deepl))[1:] == [short, long]
    assert len(deepl.requests) == asked


def work(folder, url, texts, number):
    """A job of its own: its translations, or what it ended with."""
    try:
        found = Journaled(settings(SimpleNamespace(url=url)), folder / "store.jsonl").translate(wanted(texts))
        (folder / f"{number}.done").write_text("\n".join(found))
    except UserError as error:
        (folder / f"{number}.error").write_text(str(error))


def at_a_time(server, tmp_path, parts):
    jobs = [multiprocessing.get_context("fork").Process(target=work, args=(tmp_path, server.url, texts, number))
            for number, texts in enumerate(parts)]  # fmt: skip
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()


def test_jobs_that_run_at_a_time_pay_once_for_what_both_want(server, tmp_path):
    deepl = server()
    texts = [f"tekst {n}" for n in range(200)]
    at_a_time(deepl, tmp_path, [texts[:150], texts[50:], texts[::-1]])
    assert len(list(tmp_path.glob("*.done"))) == 3
    assert len(deepl.texts) == len(set(deepl.texts)) == 200


def test_a_quota_that_does_not_suffice_for_both_of_two_jobs_breaks_in_the_middle_of_none(server, tmp_path):
    deepl = server(limit=2500)
    at_a_time(deepl, tmp_path, [[f"{job} text {n}" for n in range(100, 250)] for job in "ab"])  # 1500 each
    [done], [error] = tmp_path.glob("*.done"), tmp_path.glob("*.error")
    assert len(done.read_text().splitlines()) == 150
    assert "would exceed DeepL's quota by" in error.read_text() and "nothing was sent" in error.read_text()
    assert len(deepl.texts) == len(set(deepl.texts)) == 150


def test_a_memory_is_never_journaled_because_it_may_be_mended(memory, tmp_path):
    local = {"backend": "memory", "memory": memory, "server_url": None, "target_codes": {}}
    journaled = Journaled(local, tmp_path / "journal.jsonl")
    assert journaled.translate(wanted(["Przemoc", "Inne"], "pl", "en")) == ["Violence", None]
    assert not (tmp_path / "journal.jsonl").exists()


def test_a_memory_that_is_not_named_is_asked_for():
    with pytest.raises(UserError, match=r"dataset\.translation\.memory is empty; name a translation memory"):
        translator("memory", None, None, {})
