"""The card of a trained model: metadata that the hub reads, measured numbers, licences, and what is not known."""

import json

import pandas as pd
import pytest
from huggingface_hub import ModelCard

from refuseu.analysis.metrics import COLUMNS
from refuseu.publish.licences import Licences
from refuseu.publish.measured import NOT_MEASURED, Measured
from refuseu.publish.model_card import card, named, sources, write_folder
from refuseu.records import write_jsonl
from support.helpers import ROOT

GROUPS = {"high_resource": ["en", "de"], "low_resource": ["pl"]}
STATISTICS = {"confidence": 0.95, "resamples": 200, "seed": 1}
KINDS = {"refuseu_test": "harmful", "benign": "benign", "fluency": "fluency", "global_mmlu": "knowledge"}
TEMPLATE = ROOT / "workflow/report/model_card.md.j2"
LICENCES = Licences(ROOT / "resources/model_licences.tsv", ROOT / "resources/licence_terms.tsv")
MANIFEST = {
    "method": "dpo+mlc", "recipe": {"trainer": {"beta": 0.1, "learning_rate": 1e-6}, "lora": {"r": 16}}, "seed": 1,
    "base": {"model": "8b", "repository": "results/paper/prepare_model/8b", "revision": "local", "dtype": "bfloat16"},
    "pairs": {"pairs": 120, "dropped_identical": 3, "dropped_untranslated": 0, "kept": 117}, "trained_parameters": 4096,
    "steps": 30, "reward_margin": 0.4, "warning": "", "tokens_seen": 9000, "seconds": 12.5, "processes": 1,
    "hardware": "H100", "versions": {"torch": "2.1", "trl": "1.2"}, "git": {"commit": "c" * 40, "dirty": False},
}  # fmt: skip
FACTS = {
    "origin": {"repository": "meta-llama/Llama-3.1-8B-Instruct", "revision": "a" * 40},
    "study": "paper", "model": "8b-balanced-s1", "languages": ["en", "de"], "groups": GROUPS, "statistics": STATISTICS,
    "kinds": KINDS, "guards": ["llama_guard_3", "polyguard"], "built": True,
    "uses": {"prompts": {"repository": "mistralai/Mistral-Small-24B-Instruct-2501", "revision": "b" * 40},
             "chosen answers": {"repository": "someone/unknown", "revision": "d" * 40}},
}  # fmt: skip


def row(benchmark, metric, language, value, low, high, n):
    place = {"benchmark": benchmark, "metric": metric, "language": language, "category": "all", "style": "all"}
    return dict.fromkeys(COLUMNS, "") | place | {"value": value, "ci_low": low, "ci_high": high, "n": n}


@pytest.fixture
def measured(tmp_path):
    """Measures of a model and its base, on two of the four benchmarks."""
    own = [row("refuseu_test", "asr", "en", 0.05, 0.02, 0.1, 100),
           row("refuseu_test", "asr", "all", 0.071, 0.05, 0.1, 300),
           row("refuseu_test", "asr", "en", 0.9, 0.8, 1.0, 10) | {"category": "S1"},
           row("refuseu_test", "true_refusal_share", "en", 0.8, 0.7, 0.9, 95)]  # fmt: skip
    base = [row("refuseu_test", "asr", "en", 0.85, 0.8, 0.9, 100)]
    for name, rows in (("own", own), ("base", base)):
        (tmp_path / name).mkdir()
        pd.DataFrame(rows).to_csv(tmp_path / name / "refuseu_test.csv", index=False)
    for name, right in (("own", [True, False, True, True]), ("base", [True, True, True, True])):
        about = {"category": "", "style": ""}
        questions = [
            about | {"prompt_id": f"{code}-{n}", "language": code, "slot": "", "cluster": f"q{n}", "correct": known}
            for code in ("en", "pl")
            for n, known in enumerate(right)
        ]
        write_jsonl(tmp_path / name / "global_mmlu.jsonl", questions)
    files = ([tmp_path / name / file] for file in ("refuseu_test.csv", "global_mmlu.jsonl") for name in ("own", "base"))
    return Measured(*files, KINDS, GROUPS, STATISTICS)


@pytest.fixture
def nothing():
    return Measured([], [], [], [], KINDS, GROUPS, STATISTICS)


def text(measured, manifest=MANIFEST, facts=FACTS):
    return card(TEMPLATE, manifest, facts, LICENCES, measured)


def lines(said, start):
    return [line for line in said.splitlines() if line.startswith(start)]


def test_the_hub_reads_its_metadata(measured):
    data = ModelCard(text(measured)).data
    assert (data.license, data.base_model, data.language) == ("llama3.1", FACTS["origin"]["repository"], ["en", "de"])
    assert (data.pipeline_tag, data.library_name) == ("text-generation", "transformers")
    assert data.model_name.startswith("Llama-refuseu-paper-8b-balanced-s1")
    found = {(one.dataset_type, one.metric_type): one.metric_value for one in data.eval_results}
    assert found == {("refuseu_test", "asr"): 0.071}


def test_without_measures_the_metadata_claim_none_and_every_cell_says_so(nothing):
    said = text(nothing)
    data = ModelCard(said).data
    assert data.eval_results is None and data.get("model-index") is None
    assert lines(said, "| English (trained)") == [f"| English (trained) |{f' {NOT_MEASURED} |' * 6}"]
    assert len(lines(said, "| benign")) == 1 and NOT_MEASURED in lines(said, "| benign")[0]


def test_the_table_has_the_numbers_of_the_measures_and_of_no_category(measured):
    [english] = lines(text(measured), "| English (trained)")
    assert english.split(" | ")[1:3] == ["5.0 [2.0, 10.0]", "80.0 [70.0, 90.0]"]
    assert "85.0 [80.0, 90.0]" in english  # of the base
    [polish] = lines(text(measured), "| Polish |")
    assert polish.split(" | ")[1] == NOT_MEASURED
    assert lines(text(measured), "| refuseu_test")[0].rstrip(" |").endswith("300")


def test_an_average_that_does_not_exist_is_not_measured_and_no_metadata(measured):
    for key in (("refuseu_test", "asr", "all"), ("refuseu_test", "asr", "en")):
        measured.own[key] = measured.own[key]._replace(value=float("nan"), low=float("nan"), high=float("nan"))
    assert "asr" not in [metric for _, metric, _ in measured.results()]
    assert {row[1] for row in measured.by_language() if row[0] in ("en", "all")} == {NOT_MEASURED}


def test_the_change_of_knowledge_is_paired_and_has_a_sign(measured):
    [polish] = lines(text(measured), "| Polish |")
    assert polish.rpartition(" | ")[2].startswith("-25.0 [")  # one of four questions is lost


def test_it_says_what_the_data_and_the_recipe_were(measured):
    said = text(measured)
    for part in ("Preference pairs in English, German: 117 pairs", "3 more were dropped (identical)", "beta: 0.1",
                 "learning_rate: 1.0e-06", f"`{FACTS['origin']['repository']}` at {'a' * 40}", f"commit {'c' * 40}",
                 "llama_guard_3 and polyguard", "`dataset_card`", "What was not tested",
                 "Built with Llama"):  # fmt: skip
        assert part in said, part
    assert "untranslated" not in said and "{{" not in said and "{%" not in said


def test_a_run_that_hardly_moved_warns_in_its_card(nothing):
    assert "> it hardly moved" in text(nothing, MANIFEST | {"warning": "it hardly moved"})


def test_a_licence_that_is_not_recorded_is_said_to_be_so(nothing):
    assert f"| chosen answers | `someone/unknown` | {'d' * 40} | not recorded; read its page |" in text(nothing)
    data = ModelCard(text(nothing, facts=FACTS | {"origin": {"repository": "a/b", "revision": "1"}})).data
    assert (data.license, data.license_link, data.base_model) == ("other", "README.md#licences", "a/b")


def based_on(repository, **uses):
    used = {use: {"repository": name, "revision": "1"} for use, name in uses.items()}
    facts = FACTS | {"origin": {"repository": repository, "revision": "1"}, "uses": used}
    return sources(facts, LICENCES), facts


@pytest.mark.parametrize(
    ("base", "writer", "prefix"),
    [
        ("meta-llama/Llama-3.1-8B-Instruct", "openai/gpt-oss-20b", "Llama"),
        ("mlabonne/NeuralDaredevil-8B-abliterated", "openai/gpt-oss-20b", "Llama 3"),
        ("mlabonne/NeuralDaredevil-8B-abliterated", "meta-llama/Llama-3.1-70B-Instruct", "Llama 3"),
        ("mistralai/Mistral-Small-24B-Instruct-2501", "meta-llama/Llama-3.1-70B-Instruct", "Llama"),
        # Llama 3's terms speak of what its materials, not of what its outputs are used to create.
        ("mistralai/Mistral-Small-24B-Instruct-2501", "mlabonne/NeuralDaredevil-8B-abliterated", ""),
        ("mistralai/Mistral-Small-24B-Instruct-2501", "NASK-PIB/RefusEU", "Llama"),
        ("mistralai/Mistral-Small-24B-Instruct-2501", "openai/gpt-oss-20b", ""),
    ],
)
def test_the_name_begins_as_the_licences_ask(base, writer, prefix):
    found, facts = based_on(base, writer=writer)
    assert LICENCES.prefix(found) == prefix
    assert named(facts, prefix) == "-".join(filter(None, [prefix.replace(" ", "-"), "refuseu-paper-8b-balanced-s1"]))


def test_the_notice_is_that_of_the_base():
    found, _ = based_on("meta-llama/Llama-3.1-8B-Instruct", writer="meta-llama/Llama-3.1-70B-Instruct")
    assert LICENCES.notices(found) == [LICENCES.terms["Llama 3.1 Community License"]["notice"]]
    assert LICENCES.notices(based_on("openai/gpt-oss-20b", writer="meta-llama/Llama-3.1-70B-Instruct")[0]) == []


def test_who_was_trained_on_outputs_of_gemma_counts_as_a_derivative_of_it():
    gemma = "pypi:resources/weights/gemma3_270m.txt"
    [notice] = LICENCES.notices(based_on(gemma, writer=gemma)[0])
    assert notice == "Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms"
    found, _ = based_on("mistralai/Mistral-Small-24B-Instruct-2501", writer=gemma)
    assert LICENCES.notices(found) == [notice]
    [copy, limits] = found[-1].demands
    assert copy.startswith("a copy of the licence") and "Prohibited Use Policy" in limits


def test_weights_from_a_package_have_their_terms_and_no_id_on_the_hub(nothing):
    gemma = {"repository": "pypi:resources/weights/gemma3_270m.txt", "revision": "a" * 64}
    data = ModelCard(text(nothing, facts=FACTS | {"origin": gemma})).data
    assert (data.license, data.base_model) == ("gemma", None)
    assert "Gemma Terms of Use" in LICENCES.notices(sources(FACTS | {"origin": gemma}, LICENCES))[0]


def test_the_terms_are_of_licences_that_models_have():
    assert set(LICENCES.terms) <= set(LICENCES.known.values())


def test_what_the_miniature_made_is_called_a_toy(nothing):
    own = {"repository": "results/miniature/train_model/small", "revision": "local"}
    said = text(nothing, facts=FACTS | {"origin": own})
    data = ModelCard(said).data
    assert "**A toy.**" in said
    assert data.base_model is None and data.license == "apache-2.0"


def test_a_folder_has_the_weights_once_and_nothing_hidden(tmp_path):
    (tmp_path / "whole").mkdir()
    for name in ("model.safetensors", "config.json", ".snakemake_timestamp"):
        (tmp_path / "whole" / name).write_text(name)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/stale.safetensors").write_text("of another run")
    write_folder(tmp_path / "whole", tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["config.json", "model.safetensors"]
    weights = [(tmp_path / folder / "model.safetensors").stat().st_ino for folder in ("whole", "out")]
    assert weights[0] == weights[1]


def test_a_disk_without_links_gets_copies(tmp_path, monkeypatch):
    (tmp_path / "whole").mkdir()
    (tmp_path / "whole/config.json").write_text(json.dumps({}))

    def no_link(*_):
        raise OSError("no links here")

    monkeypatch.setattr("os.link", no_link)
    write_folder(tmp_path / "whole", tmp_path / "out")
    assert (tmp_path / "out/config.json").read_text() == "{}"
