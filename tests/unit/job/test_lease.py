"""Two jobs never write one journal at a time, on whatever machine they are, and however they end."""

import json
import multiprocessing
import os
import random
import signal
import threading
import time
from dataclasses import asdict, replace

import pytest

from refuseu.errors import UserError
from refuseu.job import lease
from refuseu.job.journal import Journal
from refuseu.job.lease import Lease, myself

SPAWN = multiprocessing.get_context("fork")


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(lease, "BEAT", 0.02)
    monkeypatch.setattr(lease, "STALE", 0.5)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal" / "a.jsonl"


def elsewhere(path, number=1):
    """The lease of a job on another machine."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.with_name(f"{path.name}.lease-{number}")
    file.write_text(json.dumps(asdict(replace(myself(), host="node7", machine="another boot", job="42"))))
    return file


def held(path):
    return sorted(file.name for file in path.parent.glob("*.lease-*") if lease.read(file))


def test_a_lease_is_free_again_after_its_holder(path):
    for number in (1, 2, 3):
        with Lease(path):
            assert held(path) == [f"a.jsonl.lease-{number}"]
        assert held(path) == []


def test_a_lease_is_free_again_after_an_error(path):
    with pytest.raises(ZeroDivisionError), Lease(path):
        raise ZeroDivisionError
    assert held(path) == []


def test_a_live_job_elsewhere_is_waited_for_and_named_once(path, quick):
    file, said, ended = elsewhere(path), [], threading.Event()

    def live():
        for _ in range(50):
            os.utime(file)
            time.sleep(0.02)
        ended.set()
        file.write_text("")

    threading.Thread(target=live).start()
    with Lease(path, said.append):
        assert ended.is_set()
    assert len(said) == 1
    assert "on node7 (SLURM job 42) is writing" in said[0]


def test_a_silent_job_elsewhere_is_given_up_and_stops_when_it_comes_back(path, quick):
    with Lease(path) as frozen:
        frozen._stop.set()  # its node is frozen: no sign of life
        frozen._beating.join()
        frozen.file.write_text(json.dumps(asdict(replace(myself(), machine="another boot"))))
        with Lease(path, lambda _: None):
            frozen._checked = -lease.BEAT
            with pytest.raises(UserError, match=r"another job has taken over .*a\.jsonl"):
                frozen.check()
        frozen.file = frozen.path.with_name("cleared away")


def test_a_killed_job_of_this_machine_is_given_up_at_once(path):
    ready = SPAWN.Event()

    def hold():
        with Lease(path):
            ready.set()
            time.sleep(60)

    job = SPAWN.Process(target=hold)
    job.start()
    ready.wait()
    os.kill(job.pid, signal.SIGKILL)
    with Lease(path, lambda sentence: pytest.fail(sentence) if not job.exitcode else None):
        assert held(path) == ["a.jsonl.lease-2"]
    job.join()


def test_of_many_that_want_a_lease_one_has_it_at_a_time(path, tmp_path):
    seen = tmp_path / "seen"

    def work():
        for _ in range(10):
            with Lease(path, lambda _: None):
                handle = os.open(seen, os.O_CREAT | os.O_EXCL)  # fails if somebody else is in here
                os.close(handle)
                time.sleep(random.random() / 500)
                seen.unlink()

    jobs = [SPAWN.Process(target=work) for _ in range(5)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert [job.exitcode for job in jobs] == [0] * 5


def test_who_is_slow_to_take_a_lease_clears_nobody_away_who_has_taken_over(path, monkeypatch):
    last = Lease._last

    def then_taken_over(self):
        found = last(self)
        if found[0] == 1:
            elsewhere(path, 2)
        return found

    monkeypatch.setattr(Lease, "_last", then_taken_over)
    with Lease(path) as slow:
        assert held(path) == ["a.jsonl.lease-1", "a.jsonl.lease-2"]
        slow._checked = -lease.BEAT
        with pytest.raises(UserError, match="another job has taken over"):
            slow.check()


def test_a_number_that_came_too_late_may_be_cleared_away_by_whoever_has_the_highest(path, monkeypatch):
    def late(self):
        path.with_name("a.jsonl.lease-1").unlink()
        elsewhere(path, 7)
        return last(self)

    last = Lease._last
    monkeypatch.setattr(Lease, "_last", late)
    waiting = Lease(path)
    path.parent.mkdir()
    waiting._take(1)
    assert waiting.file is None
    assert held(path) == ["a.jsonl.lease-7"]


@pytest.mark.parametrize("number", lease.GONE)
def test_a_file_that_another_machine_clears_away_is_gone_however_the_file_system_says_it(path, monkeypatch, number):
    def stale(*_, **__):
        raise OSError(number, "gone")

    file = elsewhere(path)
    monkeypatch.setattr("pathlib.Path.read_text", stale)
    monkeypatch.setattr("pathlib.Path.stat", stale)
    assert lease.read(file) is None
    assert lease.modified(file) == 0


def test_a_holder_shows_life_again_after_its_file_server_was_away(path, quick, monkeypatch):
    away, utime = [True] * 3, os.utime

    def unreliable(file):
        if away:
            away.pop()
            raise OSError(5, "Input/output error")
        utime(file)

    monkeypatch.setattr(os, "utime", unreliable)
    with Lease(path) as own:
        before = lease.modified(own.file)
        while lease.modified(own.file) == before:
            time.sleep(0.01)


@pytest.mark.parametrize("damage", [b"", b"{", b"\x00" * 80, b"\xff\xfe", b"[]", b'{"host": "node7"}'], ids=repr)
def test_a_lease_that_names_nobody_is_waited_for_while_it_shows_life_and_then_taken(path, quick, damage):
    file, said, ended = elsewhere(path), [], threading.Event()
    file.write_bytes(damage)

    def live():
        for _ in range(20):
            os.utime(file)
            time.sleep(0.02)
        ended.set()

    threading.Thread(target=live).start()
    with Lease(path, said.append):
        assert ended.is_set()
        assert held(path) == ["a.jsonl.lease-2"]
    assert said == [f"another job is writing {path}; waiting until it has ended"]


def test_a_file_that_only_looks_like_a_lease_is_none(path):
    elsewhere(path).rename(path.with_name("a.jsonl.lease-1 (conflicted copy)"))
    with Lease(path):
        assert path.with_name("a.jsonl.lease-1").is_file()


def test_a_file_system_without_hard_links_and_locks_will_do(path, monkeypatch):
    def missing(*_, **__):
        raise OSError(95, "Operation not supported")

    for name in ("link", "symlink"):
        monkeypatch.setattr(os, name, missing)
    monkeypatch.setattr("fcntl.flock", missing)
    monkeypatch.setattr("fcntl.lockf", missing)
    with Lease(path):
        assert held(path) == ["a.jsonl.lease-1"]


def asks(path, paid, words, seconds):
    """A job: asks for words one after the other, each paid for by a line in a file."""

    def answer(requests):
        for index, word in enumerate(requests):
            time.sleep(seconds)
            with open(paid, "a") as out:
                out.write(f"{word}\n")
            yield index, {"text": word.upper()}

    answers = Journal(path).ask(words, words, answer)
    assert [record["text"] for record in answers] == [word.upper() for word in words]


def test_a_second_job_waits_for_the_first_and_pays_for_nothing(path, tmp_path):
    paid, words = tmp_path / "paid", [f"word{n}" for n in range(40)]
    jobs = [SPAWN.Process(target=asks, args=(path, paid, words, 0.005)) for _ in range(2)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert [job.exitcode for job in jobs] == [0, 0]
    assert sorted(paid.read_text().split()) == sorted(words)


@pytest.mark.parametrize("seed", range(20))
def test_killed_at_any_moment_beside_another_writer_nothing_is_paid_twice_but_what_was_under_way(path, tmp_path, seed):
    paid, words, rng = tmp_path / "paid", [f"word{n}" for n in range(60)], random.Random(seed)
    kills = 0
    jobs = []
    while not jobs or not any(job.exitcode == 0 for job in jobs):
        jobs = [SPAWN.Process(target=asks, args=(path, paid, words, 0.002)) for _ in range(2)]
        for job in jobs:
            job.start()
        time.sleep(rng.random() / 10)
        os.kill(jobs[rng.randrange(2)].pid, signal.SIGKILL)
        kills += 1
        for job in jobs:
            job.join()
    found = paid.read_text().split()
    assert set(found) == set(words)
    assert len(found) - len(words) <= kills  # at most the one answer that was under way at each kill
    asks(path, paid, words, 0)
    assert paid.read_text().split() == found


def test_a_line_that_another_job_is_writing_is_left_alone(path):
    path.parent.mkdir(parents=True)
    whole = json.dumps({"key": "a", "text": "A"}) + "\n"
    path.write_text(whole + '{"key": "b", "te')
    assert Journal(path).records == {"a": {"text": "A"}}
    assert path.read_text() == whole + '{"key": "b", "te'


def test_what_another_job_answered_while_it_was_waited_for_is_known_and_counted_so(path):
    uses = path.with_suffix(".uses")
    other = Journal(path, "other")
    with other.alone() as own:
        late = Journal(path, "late")
        asking = threading.Thread(target=late.ask, args=("ab", "12", lambda _: pytest.fail("asked twice")))
        asking.start()
        other.ask("ab", "12", lambda _: [(0, {"text": "A"}), (1, {"text": "B"})])
        assert own.file and asking.is_alive()
    asking.join()
    assert (late.hits, late.misses, late.records) == (2, 0, {"1": {"text": "A"}, "2": {"text": "B"}})
    said = [json.loads(line) for line in uses.read_text().splitlines()]
    assert [(use["known"], use["misses"]) for use in said if use.get("who") == "late"] == [(2, 0)]


def test_what_a_job_is_still_paid_for_when_another_has_taken_over_is_kept_beside_the_journal(path, monkeypatch):
    journal = Journal(path)

    def answer(requests):
        yield 0, {"text": "A"}
        elsewhere(path, 2)
        monkeypatch.setattr(lease, "BEAT", 0)
        yield 1, {"text": "B"}
        pytest.fail("asked on")

    with pytest.raises(UserError, match="another job has taken over"):
        journal.ask("abc", "123", answer)
    assert [json.loads(line)["key"] for line in path.read_text().splitlines()] == ["1"]  # which the other writes now
    assert Journal(path).records == {"1": {"text": "A"}, "2": {"text": "B"}}
    path.with_name("a.jsonl.lease-2").write_text(lease.RELEASED)
    monkeypatch.undo()
    asked = []
    Journal(path).ask("abc", "123", lambda requests: asked.extend(requests) or [(0, {"text": "C"})])
    assert asked == ["c"]
    assert [json.loads(line)["key"] for line in path.read_text().splitlines()] == ["2", "1", "3"]
    assert not list(path.parent.glob("*.late-*"))


def test_what_came_late_gives_way_to_what_the_journal_says(path):
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"key": "a", "text": "used"}) + "\n")
    path.with_name("a.jsonl.late-node7-1").write_text(json.dumps({"key": "a", "text": "late"}) + "\n")
    for _ in range(2):
        journal = Journal(path)
        with journal.alone():
            assert journal.records == {"a": {"text": "used"}}
    assert not list(path.parent.glob("*.late-*"))
