"""A dataset made by servers only: killed anywhere, nothing is asked twice; another policy asks nothing."""

import json
import os
import re
import shlex
import signal
import time
from collections import Counter
from contextlib import suppress

import pytest

from support.apis import KEY, PROMPTS, SEEDS, Models, Study


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A study whose dataset was made in one go."""
    study = Study(tmp_path_factory.mktemp("undisturbed"))
    study.run()
    return study


def test_each_text_and_each_request_reaches_a_server_once(undisturbed):
    texts, requests = undisturbed.asked()
    assert len(texts) == 2 * SEEDS
    assert set(texts.values()) == set(requests.values()) == {1}
    kinds = Counter(json.loads(request)["model"] for request in requests)
    kept = len(undisturbed.records("filter_prompts/main/prompts.jsonl"))
    written = undisturbed.records("generate_prompts/main/generator.jsonl")
    distinct = {row["prompt"] for row in written}
    assert len(written) == PROMPTS
    assert 0 < kept < len(distinct)
    assert kinds["generator"] == PROMPTS
    assert kinds["writer"] == 2 * kept
    answers = [undisturbed.records(f"answer_prompts/main/{side}.jsonl") for side in ("chosen", "rejected")]
    judged = {(row["prompt"], row["response"]) for rows in answers for row in rows}
    assert kinds["guard_a"] == kinds["guard_b"] == len(distinct) + len(judged)


def test_label_files_keep_all_that_a_judge_said(undisturbed):
    for step in ("label_prompts/main", "label_answers/main/chosen", "label_answers/main/rejected"):
        first, second = (undisturbed.records(f"{step}/{guard}.jsonl") for guard in ("guard_a", "guard_b"))
        assert [row["prompt_id"] for row in first] == [row["prompt_id"] for row in second]
        assert {row["label"] for row in first} == {"safe", "unsafe"}
        assert [row["label"] for row in first] != [row["label"] for row in second]
        for row in first:
            assert row["raw"] == {"safe": "\n\nsafe", "unsafe": "unsafe\nS1"}[row["label"]]
            assert row["categories"] == ["S1"] * (row["label"] == "unsafe")
            assert row["unsafe_probability"] is None  # no log-probabilities come from servers
        assert all(row["raw"].startswith("Harmful request: ") for row in second)


def test_no_key_reaches_results_and_logs(undisturbed):
    files = [path for path in undisturbed.folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert len(list(undisturbed.results.rglob("*.log"))) > 10
    assert not [path for path in files if KEY.encode() in path.read_bytes() and path.suffix != ".py"]


def test_a_second_run_asks_nothing(undisturbed):
    before = undisturbed.asked()
    assert "Nothing to be done" in undisturbed.run()
    assert undisturbed.asked() == before


def test_without_a_key_nothing_starts(tmp_path):
    study = Study(tmp_path)
    del study.environ["DEEPL_AUTH_KEY"]
    assert study.start().wait() == 1
    said = [line for line in (study.folder / "run.log").read_text().splitlines() if line.startswith("refuseu:")]
    assert len(said) == 2 and "jobs to do" in said[0]
    assert "translation with DeepL needs a key; set DEEPL_AUTH_KEY" in said[1]
    assert study.deepl.requests == [] and study.files() == {}


def test_killed_while_it_translates_writes_and_labels_it_asks_for_nothing_twice(undisturbed, tmp_path):
    study = Study(tmp_path)
    study.killed(study.deepl, 4, "translate/*", SEEDS, 1)  # of languages, of what was used, and one language of two
    study.killed(study.models, 20, "generate_prompts/main/*", 20, 16)
    study.killed(study.models, PROMPTS - 20 + 30, "label_prompts/main/*", 30, 2 * 16)
    study.run()
    texts, requests = study.asked()
    assert (texts, sorted(requests)) == (undisturbed.asked()[0], sorted(undisturbed.asked()[1]))
    assert set(texts.values()) == set(requests.values()) == {1}
    assert study.files() == undisturbed.files()
    assert len(study.files()) == 16


class Slow(Models):
    seconds = 0.0

    def reply(self, path, headers, body):
        time.sleep(self.seconds)
        return super().reply(path, headers, body)


def test_a_run_that_begins_beside_the_jobs_of_a_killed_one_pays_for_nothing_twice(undisturbed, tmp_path):
    study = Study(tmp_path, Slow)
    command, log = ["snakemake", *study.arguments()], study.folder / "run.log"
    study.models.seconds = 4.0
    killed = study.begin(command)
    try:
        while study.journaled("generate_prompts/main/*") < 16:
            assert killed.poll() is None, log.read_text()[-4000:]
            time.sleep(0.05)
        killed.kill()  # Snakemake alone: its job works on, and so does the lease on its journal
        killed.wait()
        assert study.begin(command).wait() == 1
        [cure] = re.findall(r"a run that is gone .* free them with `(.*)`, then start again", log.read_text())
        assert cure == shlex.join([*command, "--unlock"])
        assert study.begin(shlex.split(cure)).wait() == 0
        second = study.begin(command)
        while "is writing" not in log.read_text():
            assert second.poll() is None, log.read_text()[-4000:]
            time.sleep(0.05)
        study.models.seconds = 0.0
        assert second.wait() == 0, log.read_text()[-4000:]
    finally:
        with suppress(ProcessLookupError):
            os.killpg(killed.pid, signal.SIGKILL)
    texts, requests = study.asked()
    assert (texts, sorted(requests)) == (undisturbed.asked()[0], sorted(undisturbed.asked()[1]))
    assert set(texts.values()) == set(requests.values()) == {1}
    assert study.files() == undisturbed.files()


def test_another_policy_reruns_the_filter_and_asks_only_for_what_is_new(undisturbed):
    study, asked = undisturbed, undisturbed.asked()
    del study.environ["DEEPL_AUTH_KEY"]  # nothing is translated, so nothing needs it
    for policy in ({"chosen_safe": "any"}, {"rejected_unsafe": "all"}):
        assert study.jobs(*study.arguments(policy)) == {"build_pairs": 1, "split_pairs": 1, "dataset": 1}
    before = study.records("build_pairs/main/pairs.jsonl")
    study.run({"chosen_safe": "any", "rejected_unsafe": "all"})
    assert study.records("build_pairs/main/pairs.jsonl") != before
    assert study.asked() == asked
    policy = {"prompt_unsafe": "any"}
    steps = {"filter_prompts": 1, "answer_prompts": 2, "label_answers": 4, "build_pairs": 1, "split_pairs": 1}
    assert study.jobs(*study.arguments(policy)) == steps | {"dataset": 1}
    old = {row["prompt"] for row in study.records("filter_prompts/main/prompts.jsonl")}
    study.run(policy)
    new = {row["prompt"] for row in study.records("filter_prompts/main/prompts.jsonl")} - old
    more = [json.loads(request) for request in study.asked()[1] - asked[1]]
    assert {request["model"] for request in more} == {"writer", "guard_a", "guard_b"}
    assert Counter(request["model"] for request in more)["writer"] == 2 * len(new) > 0
    for request in more:
        said = [message["content"] for message in request["messages"]]
        assert [prompt for prompt in new if any(prompt in text for text in said)]
