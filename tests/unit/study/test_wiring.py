"""What rules look up: whom a job asks and how, what it reads, and the settings that decide its result."""

from dataclasses import replace
from pathlib import Path

import pytest

from refuseu.study.building import Building
from refuseu.study.miniature import Miniature
from refuseu.study.study import Study
from refuseu.study.wiring import Wiring
from support.helpers import CODES

VARIANT = {"model": "8b-balanced-s1", "benchmark": "rtp_lx"}
BASE = {"model": "8b", "benchmark": "rtp_lx"}
SIZES = {"gpus": 1, "batch_size": 64}


@pytest.fixture
def wiring(paper):
    return Wiring(Study(paper))


@pytest.fixture
def small(miniature):
    return Miniature(Study(miniature))


def test_the_command_of_a_study_is_by_the_profile_of_its_name_or_of_what_it_is_made_from(paper, miniature):
    def command(config, **own):
        return Wiring(Study(config | own)).command.removeprefix("snakemake --profile ")

    assert command(paper) == command(paper, study="mine") == "slurm"
    assert command(miniature) == command(miniature, study="mine") == "miniature"
    assert command(miniature, study="pocket") == "pocket"


# Whom a job asks


def test_a_row_has_nothing_that_cannot_change_an_answer(wiring):
    row = wiring.asked_row("judge")({"judge": "polyguard", **VARIANT})
    assert list(row) == ["model", "format", "backend", "repository", "revision", "dtype", "endpoint"]
    assert row["model"] == "polyguard" and row == wiring.row("polyguard")


def test_a_model_under_evaluation_says_whether_an_adapter_answers_with_it_and_vllm_how_it_gets_it(wiring):
    base = wiring.row("8b")
    assert wiring.asked_row("generate")(BASE) == base | {"adapter": False}
    assert wiring.asked_row("generate")(VARIANT) == base | {"adapter": True, "adapters": "merged"}
    assert wiring.asked_row("knowledge")(VARIANT) == base | {"adapter": True}
    assert wiring.asked_row("align")({"model": "8b-balanced-s1"}) == base


def test_transformers_get_an_adapter_in_one_way_only(small):
    row = small.asked_row("generate")({"model": "small-balanced-s1", "benchmark": "rtp_lx"})
    assert row["adapter"] is True and "adapters" not in row


@pytest.mark.parametrize(
    ("step", "wildcards", "files"),
    [
        ("generate", BASE, ["<study>/fetch_model/8b.json"]),
        (
            "generate",
            VARIANT,
            ["<study>/fetch_model/8b.json", "<study>/align/8b-balanced-s1/adapter_model.safetensors"],
        ),
        ("judge", {"judge": "polyguard", **VARIANT}, ["<study>/fetch_model/polyguard.json"]),
        ("adjudicate", VARIANT, []),  # behind an API
        ("answer_prompts", {"side": "rejected"}, ["<study>/fetch_model/70b.json"]),
        ("reference", {"base": "70b"}, ["<study>/fetch_model/70b.json"]),
    ],
)
def test_weights_are_on_disk_before_a_job_asks_them(wiring, step, wildcards, files):
    assert wiring.asked_weights(step)(wildcards) == files


def test_a_variant_of_which_all_weights_were_trained_answers_as_a_folder_of_its_own(paper):
    study = Study(paper)
    study.recipes["dpo_8b"].pop("lora")
    wiring = Wiring(study)
    for step in ("generate", "knowledge"):
        row = wiring.asked_row(step)(VARIANT)
        folder = {"repository": "results/paper/align/8b-balanced-s1/weights", "revision": "local"}
        assert row == wiring.row("8b") | folder | {"adapter": False}
        assert wiring.asked_weights(step)(VARIANT) == ["<study>/align/8b-balanced-s1/weights"]
    assert wiring.asked_weights("align")(VARIANT) == ["<study>/fetch_model/8b.json"]


def test_held_out_pairs_are_inputs_of_a_training_that_scores_them(paper):
    study = Study(paper)
    scoring = {
        "held_out": "<study>/split_pairs/test.jsonl",
        "held_out_reference": "<study>/reference_held_out/8b.parquet",
    }
    before = Wiring(study).training_inputs(VARIANT)
    study.recipes["dpo_8b"]["trainer"]["eval_strategy"] = "steps"
    assert Wiring(study).training_inputs(VARIANT) == before | scoring


def test_weights_in_a_folder_are_files(small):
    model = {"model": "small", "benchmark": "rtp_lx"}
    assert small.asked_weights("knowledge")(model) == ["results/miniature/train_model/small/model.safetensors"]


def test_a_judge_is_asked_with_the_templates_of_its_format(wiring):
    classify = {"classify": "resources/templates/classify.txt"}
    assert wiring.asked_templates("adjudicate")(VARIANT) == classify
    assert wiring.asked_template_files("adjudicate")(VARIANT) == list(classify.values())
    assert list(wiring.asked_templates("judge_fluency")(VARIANT)) == ["correctness", "fluency"]
    assert wiring.asked_templates("judge")({"judge": "llama_guard_3", **VARIANT}) == {}  # brings its own


def test_who_is_asked_decides_how(wiring, paper):
    engine = {"gpu_memory_utilization": 0.9, "max_model_len": 8192, "enforce_eager": False}
    assert wiring.how("generate")(VARIANT, None) == SIZES | engine
    assert wiring.how("knowledge")(VARIANT, None) == SIZES | {"batch_size": 16}
    api = {"concurrent": 16, "timeout": 300}
    assert wiring.how("adjudicate")(VARIANT, None) == SIZES | {"gpus": 0, **api, "batch": False}
    paper["api"]["batch"] = ["gpt_4o_mini"]
    assert Wiring(Study(paper)).how("adjudicate")(VARIANT, None)["batch"] is True
    assert [wiring.gpus(step)(VARIANT) for step in ("generate", "adjudicate")] == [1, 0]
    assert [wiring.api(step)(VARIANT) for step in ("generate", "adjudicate")] == [0, 1]


def test_each_judge_whose_accuracy_is_measured_is_asked_in_its_own_way(miniature, tmp_path):
    sheet = Path(miniature["sheets"]["models"])
    rows = [line.split("\t") for line in sheet.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        if row[0] == "guard_b":
            row[rows[0].index("backend")] = "vllm"
    (tmp_path / "models.tsv").write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
    miniature["sheets"]["models"] = str(tmp_path / "models.tsv")
    small = Miniature(Study(miniature))
    assert small.judges()[:2] == ["guard_a", "guard_b"]
    plain, engine, *others = small.judges_asking({}, None)
    assert engine == plain | miniature["engine"]
    assert others == [plain] * 2


def test_a_base_may_be_trained_on_more_gpus_than_it_answers_on(paper, tmp_path):
    sheet = Path(paper["sheets"]["models"])
    paper["sheets"]["models"] = str(tmp_path / "models.tsv")
    found = {}
    for cell in ("4", ""):
        rows = [line.split("\t") for line in sheet.read_text(encoding="utf-8").splitlines()]
        rows[1][rows[0].index("training_gpus")] = cell
        (tmp_path / "models.tsv").write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
        wiring = Wiring(Study(paper))
        found[cell] = [wiring.gpus("reference")({"base": "8b"}), wiring.gpus("align")(VARIANT)]
        found[cell] += [wiring.gpus("generate")(VARIANT), wiring.how("generate")(VARIANT, None)["gpus"]]
        found[cell] += wiring.launched("align")(VARIANT, None).values()
    assert found == {"4": [4, 4, 1, 1, "config/accelerate/4.yaml"], "": [1, 1, 1, 1, None]}


def test_only_a_base_on_several_gpus_is_launched(wiring):
    assert wiring.launched("align")({"model": "8b-balanced-s1"}, None) == {"accelerate": None}
    assert wiring.launched("reference")({"base": "70b"}, None) == {"accelerate": "config/accelerate/4.yaml"}


# What is read


def test_models_and_benchmarks_come_from_where_their_row_says(wiring):
    assert wiring.asset({"model": "polyguard"})["repository"] == "ToxicityPrompts/PolyGuard-Qwen"
    assert wiring.asset({"benchmark": "global_mmlu"})["repository"] == "CohereLabs/Global-MMLU"
    assert set(wiring.asset({"model": "8b"})) == {"repository", "revision"}


def test_only_fasttext_is_fetched_and_has_labels(wiring, small):
    assert wiring.identifier() == ["<study>/fetch_language_model/fasttext.json"]
    assert wiring.fasttext_labels(("en", "pl")) == {"en": "eng_Latn", "pl": "pol_Latn"}
    assert small.identifier() == [] and small.fasttext_labels(("en", "pl")) == {}


@pytest.mark.parametrize(
    ("model", "inputs"),
    [
        ("8b-balanced-s1", {"reference": "<study>/reference/8b.parquet"}),
        (
            "8b-english_only_mlc-s1",
            {
                "reference": "<study>/reference/8b.parquet",
                "translations": "<study>/translate_prompts/english_only_to_all.jsonl",
            },
        ),
    ],
)
def test_a_training_reads_what_its_method_needs(wiring, model, inputs):
    wildcards = {"model": model}
    assert wiring.training_inputs(wildcards) == {"weights": ["<study>/fetch_model/8b.json"], **inputs}


def test_other_methods_than_dpo_need_no_reference(small):
    [sft] = [name for name, variant in small.study.variants.items() if variant.method == "sft"]
    assert set(small.training_inputs({"model": sft})) == {"weights"}
    assert small.training_run({"model": sft})["method"] == "sft"


def test_a_training_takes_the_pairs_of_its_languages(wiring):
    assert wiring.training_languages({"model": "8b-balanced-s1"}) == list(CODES)
    assert wiring.training_languages({"model": "8b-single_de-s1"}) == ["de"]


def test_a_benchmark_is_read_from_the_dataset_a_folder_or_the_hub(wiring, small, paper):
    assert wiring.benchmark_input({"benchmark": "refuseu_test"}) == "<study>/split_pairs/test.jsonl"
    assert wiring.benchmark_input({"benchmark": "global_mmlu"}) == "<study>/fetch_benchmark/global_mmlu.json"
    assert wiring.benchmark_input({"benchmark": "borderline"}) == ["resources/prompts/borderline.tsv"]
    files = small.benchmark_input({"benchmark": "benign"})
    assert files == sorted(f"resources/miniature/languages/{code}.yaml" for code in CODES)
    made_here = small.benchmark_input({"benchmark": "rtp_lx"})
    assert made_here == "results/miniature/toxicity_prompts/rtp_lx"
    paper["dataset"]["source"] = "hub"
    assert Wiring(Study(paper)).dataset_half("train") == "<study>/load_dataset/train.jsonl"


@pytest.mark.parametrize(
    ("benchmark", "steps"),
    [
        ("rtp_lx", ["generate", "adjudicate"]),
        ("borderline", ["generate"]),
        ("fluency", ["generate", "judge_fluency"]),
        ("global_mmlu", ["knowledge"]),
    ],
)
def test_what_is_measured_depends_on_the_kind_of_the_benchmark(wiring, benchmark, steps):
    files = wiring.answers({"model": "8b", "benchmark": benchmark})
    told_apart = {"markers", "identifier"} if "generate" in steps else set()
    told_apart |= {"judge"} if benchmark in ("rtp_lx", "borderline") else set()  # whether the guard calls it a refusal
    assert set(files) == {*steps, *told_apart}
    assert all(files[step] == f"<study>/{step}/8b/{benchmark}.jsonl" for step in steps)


def test_hidden_files_are_no_returned_sheets(paper, tmp_path):
    paper["audit"]["returned"] = str(tmp_path)
    wiring = Wiring(Study(paper))
    assert wiring.returned_sheets() == []
    (tmp_path / "paper/ann").mkdir(parents=True)
    for name in ("ann/en.json", "ann/.hidden"):
        (tmp_path / "paper" / name).touch()
    assert wiring.returned_sheets() == [f"{tmp_path}/paper/ann/en.json"]


# The dataset and the miniature


def test_a_dataset_that_is_filled_has_rounds_each_of_which_knows_those_before(paper):
    study = Study(paper)
    building = Building(study)
    assert study.phases == ["pilot", "main", "round2", "round3"]
    assert building.needs({"phase": "main"}) == ["<study>/feasibility/main.jsonl"]
    assert building.prompts_wanted({"phase": "main"}) == {"seed": 1}
    before = building.before("generate_prompts/{phase}/{generator}.jsonl")
    assert before({"phase": "pilot"}) == []
    assert before({"phase": "round2"}) == [
        "<study>/generate_prompts/pilot/mistral_24b.jsonl", "<study>/generate_prompts/main/mistral_24b.jsonl"
    ]  # fmt: skip
    assert building.aim() == {"pairs": 306, "most": 15000, "least": 100}
    assert building.phase_apart({"phase": "round2"}) == "round2"
    paper["dataset"]["split"]["if_short"] = "fewer"
    assert Building(Study(paper)).aim()["least"] == 0


def test_a_fixed_number_of_prompts_has_one_phase(miniature):
    study = Study(miniature)
    building = Building(study)
    assert study.phases == ["main"]
    assert [building.needs({"phase": phase}) for phase in ("pilot", "main")] == [[], []]
    assert building.phase_apart({"phase": "pilot"}) == ""
    assert building.before("build_pairs/{phase}/pairs.jsonl")({"phase": "pilot"}) == []


def test_a_phase_asks_its_generators_for_its_number_of_prompts(paper):
    paper["dataset"]["fill"] = None
    building = Building(Study(paper))
    pilot, main = ({"phase": phase} for phase in ("pilot", "main"))
    assert building.prompts_wanted(pilot)["total"] == 500 and building.prompts_wanted(main)["total"] is None
    assert len(building.generated_prompts(pilot)) == 2
    assert building.generated_prompts(main) == ["<study>/generate_prompts/main/mistral_24b.jsonl"]


def test_deepl_translates_by_its_own_codes_and_a_memory_by_none(paper, miniature):
    assert Building(Study(paper)).route_codes({"route": "english_only_to_all"})["lv"] == ["LV", "LV"]
    assert Building(Study(miniature)).deepl_codes("en", "lv") == {}


def test_released_rows_are_a_fetched_copy_or_the_files_of_a_folder(paper, tmp_path):
    assert Building(Study(paper)).released_rows() == "<study>/fetch_dataset/dataset.json"
    paper["dataset"] |= {"repository": str(tmp_path), "revision": "local"}
    (tmp_path / "b.parquet").touch()
    assert Building(Study(paper)).released_rows() == [f"{tmp_path}/b.parquet"]


def test_a_model_of_the_miniature_starts_from_another_or_from_nothing(small):
    own = {"tokenizer": ["<study>/train_tokenizer/tokenizer.json"]}
    assert small.start({"model": "small_instruct"}) == own | {"chat_template": [], "start": []}
    assert small.start({"model": "guard_a"}) == own | {
        "chat_template": ["resources/miniature/templates/llama_guard_3.jinja"],
        "start": ["<study>/train_model/small_instruct/model.safetensors"],
    }
    assert small.training({"model": "small"})["start"] == "small_instruct"


def test_what_the_dataset_waits_for_comes_first(small):
    models = small.config["miniature"]["models"]
    later = {"small", "open_a", "open_b", "adjudicator", "fluency_judge"}
    assert {name for name in models if not small.first({"model": name})} == later
    building = Building(small.study)
    assert [building.first({"phase": phase}) for phase in ("pilot", "main")] == [0, 1]


def test_a_model_that_the_dataset_asks_under_another_name_comes_first_too(small):
    small.study.models["writer"] = replace(small.study.models["open_a"], model="writer")
    small.config["dataset"]["chosen"] = "writer"
    assert small.first({"model": "open_a"})
    assert not small.first({"model": "open_b"})


def test_the_corpus_is_that_of_the_languages(small):
    texts = {Path(file).stem for file in small.corpus(("en", "pl")) if not file.endswith(".tsv")}
    assert texts == {"en", "pl"}
    assert small.benchmark_corpus({"benchmark": "refuseu_test"}) == small.corpus(CODES)


def test_the_adjudicator_is_validated_as_it_decides(paper):
    wiring = Wiring(Study(paper))
    assert wiring.sees({"judge": "gpt_4o_mini"}) == "response_only"
    assert wiring.sees({"judge": "polyguard"}) == "prompt_and_response"


def test_answers_to_benign_questions_are_put_to_a_guard_only_if_that_is_asked_for(paper):
    benign = {"model": "8b", "benchmark": "borderline"}
    assert Wiring(Study(paper)).answers(benign)["judge"] == "<study>/judge/polyguard/8b/borderline.jsonl"
    paper["outcomes"]["benign"] = "markers"
    assert "judge" not in Wiring(Study(paper)).answers(benign)


def test_refusals_are_read_from_the_first_guard_that_states_them(paper):
    assert Study(paper).states_refusals("harmful") == "polyguard"
    paper["judging"]["guards"] = ["qwen3guard", "polyguard"]
    paper["judging"]["held_out"] = []
    assert Study(paper).states_refusals("harmful") == "qwen3guard"
    assert Study(paper).states_refusals("fluency") == ""
