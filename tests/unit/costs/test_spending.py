"""What the journals hold and how they were used: counted, priced, and never guessed."""

import csv
import io
import json

import pytest

from refuseu.costs.spending import COLUMNS, Prices, Use, as_csv, held, page, report, uses
from refuseu.errors import UserError
from refuseu.job.journal import Journal

MODELS = {
    "local": {"repository": "org/local", "backend": "transformers"},
    "remote": {"repository": "remote-1", "backend": "openai"},
    "unpriced": {"repository": "remote-2", "backend": "openai"},
}
ROWS = [
    ("remote-1", "million tokens read", "2", "USD"),
    ("remote-1", "million tokens written", "10", "USD"),
    ("deepl", "million characters", "25", "USD"),
    ("gpu", "GPU-hour", "", "USD"),
]


def table(folder, rows):
    lines = [("of", "unit", "price", "currency", "source", "date"), *((*row, "a page", "2026-01-02") for row in rows)]
    (folder / "prices.tsv").write_text("".join("\t".join(line) + "\n" for line in lines))
    return folder / "prices.tsv"


@pytest.fixture
def prices(tmp_path):
    return Prices(table(tmp_path, ROWS))


def answer(read, wrote):
    return {"text": "A", "finish_reason": "stop", "prompt_tokens": read, "completion_tokens": wrote}


def ask(path, who, keys, record=None, stop=None):
    """Ask a journal; with `stop` the answers end in an error before that one."""

    def answers(requests):
        for index in range(len(requests)):
            if index == stop:
                raise ConnectionError("gone")
            yield index, dict(record or answer(100, 10))

    journal = Journal(path, who)
    try:
        journal.ask(keys, keys, answers)
    except ConnectionError:
        assert stop is not None


def test_each_asking_is_accounted_for(tmp_path):
    path = tmp_path / "judge/a.jsonl"
    ask(path, "local", ["1", "2", "2"])
    ask(path, "local", ["1", "2", "3", "4"], stop=1)
    ask(path, "local", ["1", "2", "3", "4"])
    found = uses(path)
    assert [(u.who, u.known, u.hits, u.misses, u.unfinished) for u in found] == [
        ("local", 0, 1, 2, False), ("local", 2, 2, 2, True), ("local", 3, 3, 1, False),
    ]  # fmt: skip
    assert found[0].seconds >= 0 and found[1].seconds is None


def test_an_asking_without_requests_leaves_no_trace(tmp_path):
    ask(tmp_path / "a.jsonl", "local", [])
    assert not list(tmp_path.iterdir())


def test_a_cut_line_of_an_account_costs_only_itself(tmp_path):
    path = tmp_path / "a.jsonl"
    ask(path, "local", ["1"])
    with open(path.with_suffix(".uses"), "a") as out:
        out.write('{"who": "loc\n')
    ask(path, "local", ["1"])
    assert [(u.hits, u.misses) for u in uses(path)] == [(0, 1), (1, 0)]


def test_records_belong_to_the_model_that_gave_them(tmp_path):
    path = tmp_path / "a.jsonl"
    ask(path, "local", ["1", "2"])
    ask(path, "remote", ["3"])
    assert (held(path, "local"), held(path, "remote"), held(path, "other")) == (2, 1, 0)


def test_without_an_account_nobody_says_who_answered(tmp_path):
    path = tmp_path / "a.jsonl"
    ask(path, "local", ["1", "2"])
    path.with_suffix(".uses").unlink()
    assert held(path, "whoever") == 2
    assert held(tmp_path / "none.jsonl", "local") == 0


def test_the_report_counts_and_prices_by_stage_and_model(tmp_path, prices):
    folder = tmp_path / "journal"
    ask(folder / "judge/g/m/b.jsonl", "local", ["1", "2"])
    ask(folder / "adjudicate/m/b.jsonl", "remote", ["1", "2"], answer(500_000, 50_000))
    ask(folder / "adjudicate/m/c.jsonl", "remote", ["1"], answer(500_000, 50_000))
    ask(folder / "adjudicate/m/c.jsonl", "remote", ["1"])
    ask(folder / "adjudicate/n/b.jsonl", "unpriced", ["1"])
    ask(folder / "translate_seeds/seeds.jsonl", "deepl", ["1", "2"], {"text": "T", "characters": 40_000})
    rows = {(row["stage"], row["model"]): row for row in report(folder, MODELS, prices)}
    remote = rows["adjudicate", "remote"]
    assert (remote["journals"], remote["records"], remote["hits"], remote["misses"]) == (2, 3, 1, 3)
    # 1.5 million read at 2, 0.15 million written at 10.
    assert (remote["prompt_tokens"], remote["completion_tokens"]) == (1_500_000, 150_000)
    assert remote["money"] == pytest.approx(3 + 1.5)
    assert rows["judge", "local"]["money"] == 0
    assert rows["adjudicate", "unpriced"]["money"] is None
    assert rows["translate_seeds", "deepl"]["characters"] == 80_000
    assert rows["translate_seeds", "deepl"]["money"] == pytest.approx(2)


def test_a_dropped_record_is_counted(tmp_path, prices):
    path = tmp_path / "journal/judge/a.jsonl"
    ask(path, "local", ["1", "2"])
    with open(path, "a") as out:
        out.write('{"key": "3", "te')
    ask(path, "local", ["1", "2", "3"])
    [row] = report(tmp_path / "journal", MODELS, prices)
    assert (row["records"], row["dropped"], row["hits"], row["misses"]) == (3, 1, 2, 3)


def test_what_is_not_known_is_empty_and_a_question_mark(tmp_path, prices):
    path = tmp_path / "journal/judge/a.jsonl"
    ask(path, "local", ["1"])
    path.with_suffix(".uses").unlink()
    rows = report(tmp_path / "journal", MODELS, prices)
    [cells] = csv.DictReader(io.StringIO(as_csv(rows, COLUMNS)))
    assert (cells["records"], cells["model"], cells["hits"], cells["money"]) == ("1", "", "", "")
    assert "| judge | ? | 1 | 1 | ? |" in page("s", rows, "2026-01-02 03:04:05")


def test_no_journals_are_no_error(tmp_path, prices):
    assert report(tmp_path / "none", MODELS, prices) == []
    assert "There are no journals yet" in page("s", [], "2026-01-02 03:04:05")


def test_notes_beside_a_journal_are_no_records(tmp_path, prices):
    folder = tmp_path / "journal/judge"
    ask(folder / "a.jsonl", "local", ["1"])
    (folder / "a.batches.jsonl").write_text(json.dumps({"batch": "b1"}) + "\n")
    [row] = report(tmp_path / "journal", MODELS, prices)
    assert (row["journals"], row["records"]) == (1, 1)


def test_a_use_is_unfinished_only_if_something_was_missing():
    assert Use("m", misses=1).unfinished and not Use("m", hits=1).unfinished


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([*ROWS, ("x", "million characters", "1", "EUR")], "has prices in EUR and USD, which cannot be added"),
        ([*ROWS, ROWS[0]], "line 6: remote-1 and million tokens read occur twice"),
        ([("deepl", "million characters", "cheap", "USD")], "line 2, key price: 'cheap' does not fit"),
        ([("deepl", "characters", "1", "USD")], "line 2, key unit: 'characters' does not fit"),
    ],
)
def test_a_mistake_in_the_prices_is_one_sentence(tmp_path, rows, said):
    with pytest.raises(UserError) as raised:
        Prices(table(tmp_path, rows))
    assert said in str(raised.value)
