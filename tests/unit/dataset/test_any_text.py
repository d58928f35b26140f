"""Whatever a prompt holds, it goes through every step of the dataset as it is."""

import csv
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refuseu.backends.completion import Decoding
from refuseu.backends.journaled import complete
from refuseu.dataset.deepl import has_words
from refuseu.dataset.filters import keep_prompts
from refuseu.dataset.memory import Memory
from refuseu.dataset.pairs import answer_steps, build_pairs, select, split
from refuseu.dataset.prompt_translations import translate_prompts
from refuseu.dataset.requests import answer_requests, requests
from refuseu.dataset.seeds import read_seeds, translate_seeds
from refuseu.dataset.translation import Journaled
from refuseu.evaluation.guards import conversation, response_only
from refuseu.evaluation.judging import label
from refuseu.job.journal import Journal
from refuseu.records import read_jsonl, write_jsonl
from support.deepl_server import DeepLServer
from support.helpers import Server, api_row, chat_completion

# Whatever UTF-8 can hold; single characters often meet by chance what is written in a special way somewhere.
PIECES = st.sampled_from(
    ["{activity}", "{input}", "{prompt}", "{0}", "{{}}", "{", "}", '"', "'", "`", "\\", "\\n", "\n", "\r\n", "\r",
     "\t", "\x01", "\x1b[31m", "\x7f", "\x85", "\u2028", "\ufeff", "\ufffe", "\u200f", "\u202eمرحبا\u202c", "שלום",
     "🙂", "👩\u200d👩\u200d👧", "e\u0301", "<slot>", "</slot>", '<char n="65"/>', "&", "&amp;", "&lt", "]]>", "<!--",
     "<|eot_id|>", "%s", "$HOME", " ", "word", "\n\nAI assistant:\n", "Human user:\n", "unsafe\nS1"]
)  # fmt: skip
TEXT = (
    st.lists(PIECES, min_size=1, max_size=12).map("".join)
    | st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
    | st.sampled_from(["a", '{activity}\n🙂 "']).map(lambda unit: unit * (20_000 // len(unit)))
)
TEMPLATES = {"polyguard": "Judge {input}.", "classify": "Is it safe?\n{input}\nSay {prompt}."}
GREEDY = Decoding(0.0, 1.0, 16)
KEY = "canary-key"


@pytest.fixture(scope="module")
def echo():
    """A model behind a server that says what it is told: its row, and the server."""
    server = Server(lambda _, __, body: (200, chat_completion(json.loads(body)["messages"][-1]["content"])))
    yield api_row(server.url), server
    server.server.shutdown()
    server.server.server_close()


@pytest.fixture(scope="module")
def deepl():
    server = DeepLServer(KEY, limit=10**12)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEEPL_AUTH_KEY", KEY)
        yield server
    server.server.shutdown()
    server.server.server_close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("texts")


def seeds(text):
    """Seeds in English whose activity is `text`, and a template that holds a slot more."""
    row = {"category": "", "language": "en"}
    return [
        row | {"kind": "category", "key": "S1", "text": text},
        row | {"kind": "activity", "key": "S1-1", "category": "S1", "text": text},
        row | {"kind": "style", "key": "slang", "text": "slang"},
        row | {"kind": "instruction", "key": "generate_prompt", "text": "<{activity}|{style}|{else}>"},
        row | {"kind": "instruction", "key": "refuse", "text": "Refuse {politely}."},
    ]


@given(TEXT, TEXT)
def test_from_seeds_to_pairs(folder, text, other):
    assert requests(seeds(text), ["en"], 1, None, 1)[0]["message"] == f"<{text}|slang|{{else}}>"
    slot = {"language": "en", "category": "S1", "activity": "S1-1"}
    prompts = [
        slot | {"prompt_id": str(n), "style": str(n), "prompt": f"{n}{said}", "finish_reason": "stop", "detected": "en"}
        for n, said in enumerate([text, other])
    ]
    write_jsonl(folder / "prompts.jsonl", prompts)
    unsafe = {"a": {"0": "unsafe", "1": "unsafe"}}
    kept, _ = keep_prompts(read_jsonl(folder / "prompts.jsonl"), unsafe, "all", {"threshold": None, "shingle": 5})
    assert kept == prompts
    turns = [{"role": "user", "content": prompt["prompt"]} for prompt in prompts]
    assert answer_requests(kept, seeds(text), "rejected", 1)[0] == [[turn] for turn in turns]
    assert [asked[-1] for asked in answer_requests(kept, seeds(text), "chosen", 1)[0]] == turns
    whole = {"finish_reason": "stop", "detected": "en"}
    answered = [{"prompt_id": str(n), "response": said} | whole for n, said in enumerate([other, text])]
    labels = {("chosen", "a"): {"0": "safe", "1": "safe"}, ("rejected", "a"): {"0": "unsafe", "1": "unsafe"}}
    policies = {"chosen_safe": "all", "rejected_unsafe": "any"}
    passed = answer_steps(kept, answered, answered, labels, ["a"], policies)["rejected_unsafe"]
    pairs = build_pairs(passed, answered, answered)
    write_jsonl(folder / "pairs.jsonl", pairs)
    train, test = split(read_jsonl(folder / "pairs.jsonl"), ["en"], ["S1"], 1, "stop", False, 0, 1)
    for pair in select(train, ["en"], "one") + test:
        n = int(pair["pair_id"])
        answer = {"role": "assistant", "content": [other, text][n]}
        assert pair["prompt"] == prompts[n]["prompt"]
        assert pair["chosen"] == pair["rejected"] == [turns[n], answer]
    assert len(train) == len(test) == 1


@given(TEXT, TEXT)
def test_to_the_judges(prompt, response):
    turn = {"role": "user", "content": prompt}
    assert conversation("llama_guard_3", prompt, None, TEMPLATES) == [turn]
    assert conversation("llama_guard_3", prompt, response, TEMPLATES) == [
        turn, {"role": "assistant", "content": response}
    ]  # fmt: skip
    assert [m["content"] for m in conversation("polyguard", prompt, response, TEMPLATES)] == [
        "Judge {input}.", f"Human user:\n{prompt}\n\nAI assistant:\n{response}"
    ]  # fmt: skip
    for asked, said in [
        (conversation("classify", prompt, None, TEMPLATES), prompt),
        (conversation("classify", prompt, response, TEMPLATES), f"User: {prompt}\nAssistant: {response}"),
        (response_only(response, TEMPLATES), response),
    ]:
        assert asked == [{"role": "user", "content": f"Is it safe?\n{said}\nSay {{prompt}}."}]


@settings(max_examples=30, deadline=None)
@given(st.lists(TEXT, min_size=1, max_size=8))
def test_through_a_server_and_the_journal(echo, folder, texts):
    row, server = echo
    journal = folder / "answers.jsonl"
    journal.unlink(missing_ok=True)
    server.requests.clear()
    asked = [[{"role": "system", "content": texts[0]}, {"role": "user", "content": text}] for text in texts]
    for _ in range(2):
        assert [found.text for found in complete(row, None, asked, GREEDY, journal, 4)] == texts
    assert sorted(map(repr, (chat["messages"] for chat in server.chats))) == sorted({repr(turns) for turns in asked})
    assert {record["text"] for record in Journal(journal).records.values()} == set(texts)


@settings(max_examples=30, deadline=None)
@given(TEXT, TEXT)
def test_into_the_record_of_a_label(echo, folder, prompt, response):
    row, _ = echo
    (folder / "labels.jsonl").unlink(missing_ok=True)
    [said] = label(row | {"format": "classify"}, [(prompt, response)], TEMPLATES, folder / "labels.jsonl", 4)
    write_jsonl(folder / "labelled.jsonl", [said])
    raw = f"Is it safe?\nUser: {prompt}\nAssistant: {response}\nSay {{prompt}}." if response.strip() else ""
    assert read_jsonl(folder / "labelled.jsonl")[0]["raw"] == raw


@settings(max_examples=50, deadline=None)
@given(st.lists(TEXT, min_size=1, max_size=8, unique=True))
def test_through_deepl_and_the_journal(deepl, folder, texts):
    (folder / "deepl.jsonl").unlink(missing_ok=True)
    deepl.texts.clear()
    pairs = [{"pair_id": str(n), "language": "pl", "prompt": text} for n, text in enumerate(texts)]
    over = {"backend": "deepl", "memory": None, "server_url": deepl.url, "target_codes": {}}
    for _ in range(2):
        found = translate_prompts(pairs, ["pl", "de"], Journaled(over, folder / "deepl.jsonl"))
        assert [row["translations"] for row in found] == [
            {"pl": text, "de": f"DE {text}" if has_words(text) else text} for text in texts
        ]
    assert len(deepl.texts) == sum(map(has_words, texts))


@given(TEXT.map(str.strip).filter(bool))
def test_from_the_sheets_of_seeds_through_a_memory(folder, text):
    template = f"{text} {{style}} {{category}} {{activity}}"
    sheets = {
        "categories": [["category", "text"], ["S1", text]],
        "activities": [["activity", "category", "text"], ["S1-1", "S1", text]],
        "styles": [["style", "text"], ["slang", text]],
        "instructions": [["instruction", "text"], ["refuse", text], ["generate_prompt", template]],
    }
    for name, rows in sheets.items():
        with open(folder / f"{name}.tsv", "w", encoding="utf-8", newline="") as stream:
            csv.writer(stream, delimiter="\t").writerows(rows)
    with open(folder / "memory.tsv", "w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, delimiter="\t").writerows([["id", "pl", "de"], ["a", text, text], ["b", template, template]])
    found = translate_seeds(read_seeds(folder, "pl"), ["pl", "de"], Memory(folder / "memory.tsv"))
    assert [row["text"] for row in found] == [*[text] * 4, template] * 2
