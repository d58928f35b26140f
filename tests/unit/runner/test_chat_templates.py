"""Models without a chat template are named before the first job, where their files are here."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from refuseu.errors import UserError
from refuseu.runner.chat_templates import check_chat_templates
from refuseu.study.study import Study


def job(rule, **wildcards):
    class Wildcards(dict):
        __getattr__ = dict.__getitem__

    return SimpleNamespace(
        rule=SimpleNamespace(name=f"safety_{rule}", script=f"workflow/scripts/{rule}.py"),
        wildcards=Wildcards(wildcards),
    )


@pytest.fixture
def cached(paper, tmp_path, monkeypatch):
    """The paper's study, and the folder in the hub's cache where its base would be."""
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    study = Study(paper)
    row = study.models["8b"]
    folder = tmp_path / "hub" / f"models--{row.repository.replace('/', '--')}" / "snapshots" / row.revision
    folder.mkdir(parents=True)
    (folder / "tokenizer_config.json").write_text(json.dumps({"bos_token": "<s>"}))
    return study, folder


JOBS = [job("generate", model="8b-balanced-s1", benchmark="refuseu_test"), job("align", model="8b-balanced-s1")]


@pytest.mark.parametrize("one", JOBS, ids=["generate", "align"])
def test_a_model_without_a_chat_template_is_named_with_the_cure(cached, one):
    with pytest.raises(UserError, match=r"model '8b' of config/models.tsv has no chat template, .* chat_template of"):
        check_chat_templates([one], cached[0])


def test_what_needs_none_or_has_one_or_is_not_here_passes(cached):
    study, folder = cached
    study.benchmarks["rtp_lx"] = replace(study.benchmarks["rtp_lx"], mode="continuation")
    check_chat_templates([job("generate", model="8b", benchmark="rtp_lx"), job("knowledge", model="8b")], study)
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    check_chat_templates(JOBS, study)
    (folder / "chat_template.jinja").unlink()
    (folder / "tokenizer_config.json").unlink()
    check_chat_templates(JOBS, study)
