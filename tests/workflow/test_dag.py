"""The graph of both studies, by dry runs in a fresh copy, without GPU, keys and network."""

import shutil
from collections import Counter

import pytest

from refuseu.artifacts.declared import ARTIFACTS
from support.helpers import ROOT, counted, needed
from support.studies import FIGURES, MINIATURE, NARROW, SLURM, STOPS, STUDIES, TABLES


@pytest.fixture(scope="module")
def miniature(checkout):
    return checkout.jobs(*MINIATURE)


@pytest.fixture(scope="module")
def paper(checkout):
    return checkout.jobs(*SLURM)


def test_the_promised_targets_are_there():
    assert set(TABLES) >= {"table1", "table2", "table3", "table6", "table8", "table16", "rtp_lx", "polyglotox"}
    assert set(FIGURES) >= {f"fig{n}" for n in (2, 3, 4, 6, 7, 8, 10, 11, 12)}


@pytest.mark.parametrize("name", STUDIES)
def test_a_line_per_stage_is_less_than_sixty(whole, name):
    kinds = {artifact.target: artifact.kind for artifact in ARTIFACTS}
    stages = {kinds.get(job.split()[0], job.split()[0]) for job in whole(name)}
    assert 25 < len(stages) < 50  # beside a few lines before and after


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("miniature", "dataset"),
        ("miniature", "metrics"),
        ("miniature", "table1"),
        ("miniature", "fig10"),
        ("paper", "table3"),
        ("paper", "fig12"),
    ],
)
def test_a_target_alone_has_the_jobs_that_it_has_in_the_whole_graph(checkout, whole, name, target):
    assert checkout.planned(target, *STUDIES[name].profile) == needed(whole(name), target)


# The miniature: 2 bases with their twins, 2 open models, 26 variants, two of them controls; 60 + 16 + 16 + 16
# evaluations.


def test_the_whole_miniature_has_the_jobs_that_its_sheets_ask_for(miniature):
    expected = {
        "train_tokenizer": 1, "train_model": 11, "toxicity_prompts": 2, "judge_accuracy": 1,
        "translate_seeds": 1, "generate_prompts": 1 + 2, "label_prompts": 3 + 2, "filter_prompts": 1,
        "answer_prompts": 2, "label_answers": 4, "build_pairs": 1, "split_pairs": 1, "funnel": 1,
        "reference": 2, "translate_prompts": 1, "align": 26,
        "load_benchmark": 6, "generate": 32 + 2 * 14 + 2 * 16, "judge": 2 * (32 + 2 * 14), "adjudicate": 32 + 2 * 14,
        "outcomes": 0, "judge_fluency": 16, "knowledge": 16, "measure": 32 + 2 * 14 + 3 * 16, "compare": 2 * 6,
        "over_seeds": 0,
        "metrics": 1, "comparisons": 1, "agreement": 1, "claims": 1, "report": 1, "all": 1,
    }  # fmt: skip
    assert {rule: miniature.get(rule, 0) for rule in expected} == expected


def test_the_whole_miniature_has_every_table_and_figure_once_and_fetches_nothing(miniature):
    assert {rule: miniature.get(rule) for rule in TABLES + FIGURES} == dict.fromkeys(TABLES + FIGURES, 1)
    assert not [rule for rule in miniature if rule.startswith("fetch") or rule == "load_dataset"]


def test_every_named_target_is_a_target(checkout, miniature):
    found = checkout.jobs(*STOPS, *TABLES, *FIGURES, "judge_accuracy_table", *MINIATURE)
    assert set(STOPS + TABLES + FIGURES) <= set(found)
    everything = miniature | dict.fromkeys(STOPS[:6], 1)
    everything.pop("all")
    assert found == everything


@pytest.mark.parametrize(
    ("target", "needs", "spares"),
    [
        ("dataset", {"split_pairs": 1}, {"align", "reference", "generate", "funnel"}),
        ("models", {"align": 26, "reference": 2}, {"generate", "judge", "knowledge"}),
        ("table3", {"knowledge": 16, "table3": 1}, {"fig3", "table1", "agreement"}),
        (
            "fig2",
            {"agreement": 1, "label_prompts": 3, "generate_prompts": 1},
            {"align", "generate", "metrics", "table1"},
        ),
        ("leakage", {"load_benchmark": 5, "split_pairs": 1, "leakage": 1}, {"align", "generate", "funnel"}),
        ("dataset_card", {"split_pairs": 1, "funnel": 1}, {"align", "generate", "leakage", "load_benchmark"}),
        ("table6", {"generate_prompts": 2, "label_prompts": 2}, {"align", "answer_prompts", "metrics"}),
        ("generations", {"generate": 92}, {"judge", "adjudicate", "knowledge"}),
        ("verdicts", {"adjudicate": 60, "judge": 120}, {"measure", "judge_fluency", "metrics"}),
        ("metrics", {"measure": 108, "metrics": 1}, {"compare", "comparisons"}),
        ("comparisons", {"measure": 106 - 2 * 6, "compare": 12}, {"metrics", "table1"}),
    ],
)
def test_a_target_makes_what_it_needs_and_nothing_else(whole, target, needs, spares):
    found = counted(needed(whole("miniature"), target))
    assert {rule: found.get(rule) for rule in needs} == needs
    assert found[target] == 1
    assert not spares & set(found)


def test_no_job_is_per_language(checkout, miniature):
    more = {"languages": {"low_resource": ["pl", "cs", "sk", "sl", "lt", "lv", "et"]}}
    configs = ["config/miniature/config.yaml", checkout.overlay("estonian.yaml", more)]
    assert checkout.jobs(*MINIATURE, "--configfile", *configs) == miniature


def test_a_variant_costs_its_own_training_and_evaluation_and_no_more(checkout, miniature):
    sheet = (ROOT / "config/miniature/variants.tsv").read_text(encoding="utf-8")
    checkout.overlay("variants.tsv", sheet + "single_en\tsmall\ten\tdpo\tdpo\t1\t\n")
    configs = ["config/miniature/config.yaml", checkout.overlay("v.yaml", {"sheets": {"variants": "variants.tsv"}})]
    found = checkout.jobs(*MINIATURE, "--configfile", *configs)
    more = {rule: n - miniature.get(rule, 0) for rule, n in found.items() if n != miniature.get(rule, 0)}
    one = ["align", "generate", "adjudicate", "measure"]
    assert more == dict.fromkeys(one, 1) | {"judge": 2}


def test_any_base_languages_method_recipe_and_seed_are_a_row(checkout):
    folder = checkout.folder / "recipes"
    shutil.copytree(ROOT / "config/miniature/recipes", folder)
    section = (folder / "mlc.yaml").read_text(encoding="utf-8").partition("mlc:")[2]
    rows = (ROOT / "config/miniature/variants.tsv").read_text(encoding="utf-8").splitlines()
    bundled = len(rows) - 1
    for number, objective in enumerate(("dpo", "sft", "orpo", "simpo")):
        (folder / f"{objective}_mlc.yaml").write_text(f"include: {objective}.yaml\nmlc:{section}", encoding="utf-8")
        base = ("small", "large")[number % 2]
        rows.append(f"{objective}_plain\t{base}\thigh_resource\t{objective}\t{objective}\t{number}\t")
        rows.append(f"{objective}_and_mlc\t{base}\tpl,en\t{objective}+mlc\t{objective}_mlc\t7\t")
    sheet = checkout.overlay("rows.tsv", "\n".join([*rows, ""]))
    sheets = {"sheets": {"variants": sheet, "recipes": "recipes"}}
    configs = ["config/miniature/config.yaml", checkout.overlay("rows.yaml", sheets)]
    found = checkout.graph(*MINIATURE, "models", "--configfile", *configs)
    trained = {job.removeprefix("align "): inputs for job, (inputs, _) in found.items() if job.startswith("align ")}
    assert len(trained) == bundled + 8
    assert set(trained) >= {
        f"{('small', 'large')[n % 2]}-{objective}_{kind}-s{seed}"
        for n, objective in enumerate(("dpo", "sft", "orpo", "simpo")) for kind, seed in (("plain", n), ("and_mlc", 7))
    }  # fmt: skip
    for model, inputs in trained.items():
        with_reference = not any(f"-{objective}" in model for objective in ("sft", "orpo", "simpo"))
        assert any("/reference/" in name for name in inputs) == with_reference
        assert any("/translate_prompts/" in name for name in inputs) == ("_mlc-" in model)


# The paper: 2 bases with their twins, 3 open models and the variants of its sheet.

VARIANTS = [line.split("\t") for line in (ROOT / "config/variants.tsv").read_text().splitlines()[1:]]
ALL = 4 + 3 + len(VARIANTS)
SOME = 4 + sum(row[0] in NARROW for row in VARIANTS)


def test_the_papers_variants_are_those_of_the_paper_and_ours():
    of = {base: [row[0] for row in VARIANTS if row[1] == base] for base in ("8b", "70b")}
    for base in of:
        assert set(NARROW) <= set(of[base])
    assert sum(name.startswith("single_") for name in of["8b"]) == 11
    assert all(of["8b"].count(name) == 3 for name in NARROW[:4])


def test_the_papers_study_has_the_jobs_that_its_sheets_ask_for(paper):
    harmful, more = ALL + 2 * SOME, SOME + 2
    held_out = more + 3
    expected = {
        # One guard also says which answers to benign prompts refuse.
        # The pilot, the main phase and two rounds more; the third judge hears the main phase alone.
        "translate_seeds": 1, "feasibility": 4, "generate_prompts": 2 + 3, "label_prompts": 2 + 3 + 2 * 2,
        "filter_prompts": 4, "answer_prompts": 4 * 2, "label_answers": 4 * 4, "build_pairs": 4,
        "split_pairs": 1, "reference": 2, "align": len(VARIANTS),
        "translate_prompts": 1, "load_benchmark": 6,
        "generate": harmful + 2 * more, "judge": 2 * harmful + held_out + more, "adjudicate": harmful,
        "judge_fluency": more, "knowledge": more, "measure": harmful + 3 * more, "compare": 2 * 6, "over_seeds": 4 * 6,
        "fetch_model": 12, "fetch_benchmark": 1, "fetch_language_model": 1, "wording": 1, "report": 1,
    }  # fmt: skip
    assert {rule: paper.get(rule, 0) for rule in expected} == expected
    assert {rule: paper.get(rule) for rule in TABLES + FIGURES} == dict.fromkeys(TABLES + FIGURES, 1)


def test_the_paper_makes_no_models_of_the_miniature(paper):
    assert not {"train_tokenizer", "train_model", "toxicity_prompts", "judge_accuracy"} & set(paper)


def test_the_pilot_alone_says_what_the_main_phase_needs_and_asks_for_nothing_of_it(checkout):
    paper = checkout.planned("pilot", *SLURM)
    assert {job for job in paper if job.startswith("feasibility")} == {"feasibility pilot", "feasibility main"}
    assert not [job for job in paper if "main" in job.split() and not job.startswith("feasibility")]


def test_the_miniature_has_a_fixed_number_of_prompts_and_no_rounds(miniature):
    assert "feasibility" not in miniature


def test_with_the_released_dataset_nothing_is_built(checkout):
    found = checkout.jobs(*SLURM, "--configfile", "config/released.yaml")
    assert found["fetch_dataset"] == found["load_dataset"] == 1
    assert not {"generate_prompts", "label_prompts", "answer_prompts", "build_pairs", "translate_seeds"} & set(found)
    assert not {"table6", "fig2", "funnel_table"} & set(found)
    assert found["leakage"] == 1
    assert found["align"] == len(VARIANTS)


def test_without_a_profile_a_dry_run_shows_the_papers_study(checkout, paper):
    assert checkout.jobs("-c1") == paper


# One artifact: the models that it shows, and what they need. Written out here, not read from refuseu.study.selection.


EVALUATED = {
    "table1": lambda s: (s.bases + s.twins + s.narrow, "refuseu_test", []),
    "table2": lambda s: (
        s.bases + s.single + [m for m in s.narrow if "-english_only-" in m], "refuseu_test", []
    ),
    "table3": lambda s: (s.bases + s.twins + s.everywhere + s.controls, "global_mmlu", s.bases),
    "fig3": lambda s: (s.bases + s.twins + s.narrow, "refuseu_test", []),
    "fig6": lambda s: ([s.bases[0], *s.of(s.bases[0], s.everywhere + s.controls)], "fluency", s.bases[:1]),
    "fig10": lambda s: ([s.bases[1], *s.of(s.bases[1], s.everywhere + s.controls)], "fluency", s.bases[1:]),
    "fig12": lambda s: (s.open, "refuseu_test", []),
}  # fmt: skip
BEFORE = {  # jobs that are there whatever is evaluated
    "miniature": {"train_tokenizer", "train_model"},
    "paper": {"fetch_model", "fetch_language_model", "fetch_benchmark", "wording"},
}
DATASET = {
    "translate_seeds", "feasibility", "generate_prompts", "label_prompts", "filter_prompts", "answer_prompts",
    "label_answers", "build_pairs", "split_pairs",
}  # fmt: skip


@pytest.mark.parametrize("target", EVALUATED)
@pytest.mark.parametrize("name", STUDIES)
def test_an_artifact_trains_and_evaluates_what_it_shows_and_nothing_else(whole, name, target):
    study = STUDIES[name]
    shown, benchmark, compared = EVALUATED[target](study)
    trained = [model for model in shown if model in study.trained]
    expected = {target, f"load_benchmark {benchmark}", *(f"compare {base} {benchmark}" for base in compared)}
    expected |= {f"reference {study.trained[model][1]}" for model in trained}
    expected |= {f"align {model}" for model in trained}
    if any(study.trained[model][3].endswith("+mlc") for model in trained):
        expected.add("translate_prompts english_only_to_all")
    steps = {"refuseu_test": ["generate", "adjudicate"], "fluency": ["generate", "judge_fluency"]}
    for model in shown:
        expected |= {f"{step} {model} {benchmark}" for step in [*steps.get(benchmark, ["knowledge"]), "measure"]}
        expected |= {f"judge {guard} {model} {benchmark}" for guard in study.guards if benchmark == "refuseu_test"}
    seeds = Counter(model.rpartition("-s")[0] for model in trained)
    if target not in ("fig6", "fig10"):  # which show comparisons
        expected |= {f"over_seeds {run} {benchmark}" for run, count in seeds.items() if count > 1}
    planned = needed(whole(name), target)
    assert {job for job in planned if job.split()[0] not in BEFORE[name] | DATASET} == expected


def test_an_artifact_fetches_only_the_models_that_it_needs(whole):
    fetched = {job.split()[1] for job in needed(whole("paper"), "fig12") if job.startswith("fetch_model")}
    writers = {"mistral_24b", "70b", "70b_instruct"}
    assert fetched == writers | {"llama_guard_3", "polyguard"} | set(STUDIES["paper"].open)


# All answers to look through, and benchmarks of one's own


@pytest.mark.parametrize("name", STUDIES)
def test_the_page_of_all_answers_needs_no_table_and_nothing_needs_it(whole, name):
    jobs = counted(needed(whole(name), "answers"))
    assert jobs["answers"] == 1
    assert not {"knowledge", "compare", "metrics", "report", *TABLES, *FIGURES} & set(jobs)
    assert jobs["measure"] == jobs["generate"] == jobs["adjudicate"] + 2 * jobs["judge_fluency"]
    assert "answers" not in counted(needed(whole(name), "all"))


def test_a_ready_benchmark_is_downloaded_when_its_row_is_copied(checkout):
    ready = (ROOT / "config/more_benchmarks.tsv").read_text(encoding="utf-8").split("\n", 1)[1]
    sheet = checkout.overlay("mine.tsv", (ROOT / "config/benchmarks.tsv").read_text(encoding="utf-8") + ready)
    overlay = checkout.overlay("mine.yaml", {"sheets": {"benchmarks": sheet}})
    wanted = [f"results/paper/load_benchmark/{name}.jsonl" for name in ("xstest_safe", "multijail")]
    found = checkout.planned(*wanted, *SLURM, "--configfile", overlay)
    assert found == {"download_benchmark xstest_safe", "load_benchmark xstest_safe", "fetch_benchmark multijail",
                     "load_benchmark multijail"}  # fmt: skip
