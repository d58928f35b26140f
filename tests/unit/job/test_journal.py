"""Nothing is asked twice, whatever happens to the job in the middle."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from refuseu.job.journal import Journal, request_key
from refuseu.job.paths import journal_path, siblings
from support.helpers import ROOT

WHO = {"repository": "org/model", "revision": "a" * 40, "endpoint": "", "dtype": "float32", "adapter": ""}
HOW = {"temperature": 0.7, "top_p": 1.0, "max_new_tokens": 8, "first_logprobs": False}
TURNS = [{"role": "user", "content": "Hi"}]


def asker(path):
    """A function that asks a journal and returns the answers and what had to be asked."""

    def ask(*words):
        asked = []

        def answer(requests):
            asked.extend(requests)
            yield from ((i, {"text": request.upper()}) for i, request in enumerate(requests))

        return [r["text"] for r in Journal(path).ask(words, [f"key {word}" for word in words], answer)], asked

    return ask


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal" / "rule" / "a.jsonl"


def test_answers_are_kept(path):
    ask = asker(path)
    assert ask("a", "b") == (["A", "B"], ["a", "b"])
    assert ask("b", "a") == (["B", "A"], [])
    assert ask("a", "c", "b") == (["A", "C", "B"], ["c"])


def test_what_jobs_beside_were_answered_is_not_asked_and_stays_theirs(path):
    neighbours = [path.parent.parent / name / path.name for name in ("other", "third")]
    asker(neighbours[0])("a", "b")
    neighbours[1].parent.mkdir()
    damaged = '{"key": "key d", "te\0\0}\n'  # by a power cut
    neighbours[1].write_text(
        '{"key": "key c", "text": "C"}\n' + damaged + '{"key": "key d", "text": "D"'
    )  # being written

    def answer(requests):
        yield from ((i, {"text": f"new {request}"}) for i, request in enumerate(requests))

    def texts(beside):
        words = ["a", "c", "d", "a"]
        return [r["text"] for r in Journal(path, beside=beside).ask(words, [f"key {w}" for w in words], answer)]

    assert list(siblings(path)) == neighbours
    assert texts(siblings(path)) == ["A", "C", "new d", "A"]
    assert path.read_text() == '{"key": "key d", "text": "new d"}\n'


def test_equal_keys_are_asked_once(path):
    assert asker(path)("a", "b", "a", "a") == (["A", "B", "A", "A"], ["a", "b"])


def test_nothing_is_asked_or_written_when_nothing_is_wanted(path):
    assert asker(path)() == ([], [])
    assert not path.exists()


def test_answers_may_arrive_in_any_order(path):
    journal = Journal(path)
    records = journal.ask("abc", "123", lambda requests: ((i, {"text": requests[i]}) for i in (2, 0, 1)))
    assert [record["text"] for record in records] == ["a", "b", "c"]
    assert (journal.hits, journal.misses) == (0, 3)


def test_texts_survive_the_disk(path):
    text = 'line\nbreak \u2028 {brace} "quote" \\ 🙂 مرحبا \x00'
    Journal(path).ask(["a"], ["1"], lambda _: [(0, {"text": text})])
    assert Journal(path).records == {"1": {"text": text}}


def test_what_was_answered_before_an_error_is_kept(path):
    def answer(requests):
        yield 0, {"text": "A"}
        yield 1, {"text": "B"}
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        Journal(path).ask("abcd", "1234", answer)
    assert set(Journal(path).records) == {"1", "2"}


@pytest.mark.parametrize(
    "other",
    [
        (WHO | {"repository": "org/other"}, TURNS, HOW, 1),
        (WHO | {"revision": "b" * 40}, TURNS, HOW, 1),
        (WHO | {"adapter": "c" * 64}, TURNS, HOW, 1),
        (WHO | {"endpoint": "http://127.0.0.1"}, TURNS, HOW, 1),
        (WHO | {"dtype": "bfloat16"}, TURNS, HOW, 1),
        (WHO, [{"role": "user", "content": "Hi "}], HOW, 1),
        (WHO, [{"role": "system", "content": "Hi"}], HOW, 1),
        (WHO, TURNS * 2, HOW, 1),
        (WHO, "Hi", HOW, 1),
        (WHO, TURNS, HOW | {"temperature": 0.8}, 1),
        (WHO, TURNS, HOW | {"top_p": 0.9}, 1),
        (WHO, TURNS, HOW | {"max_new_tokens": 9}, 1),
        (WHO, TURNS, HOW | {"first_logprobs": True}, 1),
        (WHO, TURNS, HOW, 2),
        (WHO, TURNS, HOW, None),
    ],
)
def test_another_model_adapter_prompt_decoding_or_seed_never_matches(other):
    assert request_key(*other) != request_key(WHO, TURNS, HOW, 1)


def test_the_order_of_keys_does_not_matter():
    turned = dict(reversed(WHO.items())), [dict(reversed(TURNS[0].items()))], dict(reversed(HOW.items())), 1
    assert request_key(*turned) == request_key(WHO, TURNS, HOW, 1)


@pytest.mark.parametrize(
    "cut",
    [
        '{"key": "key c", "text": "C',
        '{"key": "key c", "te\n',
        '{"text": "no key"}\n',
        "[1, 2]\n",
        "\x00\x00\x00",
        '{"key": "key c", "text": "\udcff"}\n',
    ],
)
def test_a_broken_last_line_is_dropped_counted_and_healed(path, cut):
    ask = asker(path)
    ask("a", "b")
    with open(path, "a", encoding="utf-8", errors="surrogateescape") as out:
        out.write(cut)
    journal = Journal(path)
    assert journal.dropped == 1
    assert set(journal.records) == {"key a", "key b"}
    assert ask("a", "b", "c") == (["A", "B", "C"], ["c"])
    assert Journal(path).dropped == 0
    assert ask("a", "b", "c")[1] == []


def test_a_broken_line_in_the_middle_costs_only_itself(path):
    ask = asker(path)
    ask("a", "b", "c")
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[1][:12], lines[2]]) + "\n")
    assert Journal(path).dropped == 1
    assert ask("a", "b", "c") == (["A", "B", "C"], ["b"])


def test_a_whole_last_line_without_its_end_is_kept_and_the_next_one_starts_anew(path):
    ask = asker(path)
    ask("a", "b")
    path.write_text(path.read_text().rstrip("\n"))
    assert ask("a", "b", "c") == (["A", "B", "C"], ["c"])
    assert [json.loads(line)["text"] for line in path.read_text().splitlines()] == ["A", "B", "C"]


def test_an_empty_journal_is_as_good_as_none(path):
    path.parent.mkdir(parents=True)
    path.touch()
    assert asker(path)("a") == (["A"], ["a"])


KILLED = """
import sys, time
from refuseu.job.journal import Journal

def answer(requests):
    for index, request in enumerate(requests):
        if index == {last}:
            print("here", flush=True)
            time.sleep(600)
        yield index, {{"text": request * 200}}

Journal(sys.argv[1]).ask([str(n) for n in range(200)], [f"key {{n}}" for n in range(200)], answer)
"""


def test_killed_in_the_middle_it_asks_only_for_what_is_missing(path):
    job = subprocess.Popen(
        [sys.executable, "-c", KILLED.format(last=100), str(path)],
        env={"PYTHONPATH": str(ROOT / "workflow/scripts")},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert job.stdout.readline() == "here\n"
    job.send_signal(signal.SIGKILL)
    assert job.wait() == -signal.SIGKILL
    kept = Journal(path).records
    assert set(kept) == {f"key {n}" for n in range(100)}
    asked = []

    def answer(requests):
        asked.extend(requests)
        yield from ((i, {"text": r * 200}) for i, r in enumerate(requests))

    records = Journal(path).ask([str(n) for n in range(200)], [f"key {n}" for n in range(200)], answer)
    assert [record["text"] for record in records] == [str(n) * 200 for n in range(200)]
    assert len(asked) == 200 - len(kept)
    assert not {f"key {n}" for n in asked} & set(kept)
    assert len(Journal(path).records) == 200


def test_the_journal_lies_beside_the_results_and_never_in_them():
    assert journal_path("results/s/generate/m/b.jsonl") == Path("results/s/journal/generate/m/b.jsonl")
    of_all = Path("results/s/journal/label_answers/chosen/g.jsonl")
    assert journal_path("results/s/label_answers/main/chosen/g.jsonl", "main") == of_all
    assert journal_path("results/s/align/m") == Path("results/s/journal/align/m.jsonl")
    assert journal_path("results/s/align/8b-balanced-s1.x.csv") == Path(
        "results/s/journal/align/8b-balanced-s1.x.jsonl"
    )
