"""The plan: hand-computed costs, exact where files are there, and what exists subtracted."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from refuseu.costs.plan import Plan, exceeded, page, sentence
from refuseu.costs.spending import read_rows
from refuseu.errors import UserError
from refuseu.job.journal import Journal
from refuseu.job.paths import journal_path, translations_path
from refuseu.records import write_jsonl
from refuseu.study.study import Study
from support.helpers import CODES, ROOT

ASSUMPTIONS = {
    ("texts", "characters_per_token"): 2, ("texts", "prompt"): 100, ("texts", "question"): 50,
    ("texts", "guard_template"): 1000, ("texts", "record"): 400, ("shares", "answer_length"): 0.5,
    ("shares", "prompts_paired"): 0.04, ("shares", "prompts_kept"): 0.25, ("shares", "pairs_kept"): 0.5,
    ("shares", "disputed"): 0.1,
    ("released", "train"): 10, ("released", "test"): 5, ("rtp_lx", "prompts"): 7, ("polyglotox", "prompts"): 9,
    ("global_mmlu", "prompts"): 11, ("meta-llama/Llama-Guard-3-8B", "weights"): 16,
}  # fmt: skip
SPEEDS = [
    ("mlabonne/NeuralDaredevil-8B-abliterated", "generate", "1000", "out"),
    ("meta-llama/Llama-Guard-3-8B", "read", "2000", "all"),
    ("mlabonne/NeuralDaredevil-8B-abliterated", "train", "", "all"),
]
PRICES = [
    ("gpt-4o-mini-2024-07-18", "million tokens read", "1", "USD"),
    ("gpt-4o-mini-2024-07-18", "million tokens written", "4", "USD"),
    ("deepl", "million characters", "20", "USD"),
    ("gpu", "GPU-hour", "", "USD"),
]
RESULTS = Path("results/paper")


@pytest.fixture
def tables(tmp_path):
    """Tables with round figures."""
    folder = tmp_path / "tables"
    folder.mkdir()

    def write(name, columns, rows):
        lines = [(*columns, "source", "date"), *((*row, "a page", "2026-01-02") for row in rows)]
        (folder / f"{name}.tsv").write_text("".join("\t".join(line) + "\n" for line in lines))

    write("assumptions", ("about", "what", "value", "unit"),
          [(*key, str(value), "") for key, value in ASSUMPTIONS.items()])  # fmt: skip
    write("throughput", ("repository", "task", "tokens_per_second", "counts", "hardware"),
          [(*row, "a GPU") for row in SPEEDS])  # fmt: skip
    write("prices", ("of", "unit", "price", "currency"), PRICES)
    return folder


@pytest.fixture
def config(paper, tmp_path, monkeypatch):
    """The paper's config in a folder without results."""
    for name in ("config", "resources", "workflow"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    paper["dataset"]["fill"] = None
    return paper


@pytest.fixture
def rows(config, tables):
    """Plan anew: (stage, output from there on) → row of the plan."""

    def plan(**more):
        made = Plan(Study(config), tables, **more)
        prefix = f"{RESULTS}/"
        return {job.output.removeprefix(prefix): row for job, row in zip(made.jobs, made.rows, strict=True)}

    return plan


def fill(path, number, **fields):
    write_jsonl(RESULTS / path, [{"prompt_id": str(i), **fields} for i in range(number)])


# Before anything is there


def test_prompts_are_those_that_the_config_asks_for(rows):
    found = rows()
    main = found["generate_prompts/main/mistral_24b.jsonl"]
    assert main["requests"] == 38 * 10 * 60 * 12  # activities, styles, prompts per slot, languages
    assert main["tokens_in"] == main["requests"] * 100 / 2
    assert main["tokens_out"] == main["requests"] * 256 * 0.5
    assert found["generate_prompts/pilot/70b_instruct.jsonl"]["requests"] == 500 * 12
    assert found["label_prompts/pilot/polyguard.jsonl"]["requests"] == 2 * 500 * 12
    assert found["answer_prompts/main/chosen.jsonl"]["requests"] == main["requests"] * 0.25


def test_with_prompts_per_category_the_activities_do_not_count(config, rows):
    config["dataset"]["prompts_per_category"] = 30
    assert rows()["generate_prompts/main/mistral_24b.jsonl"]["requests"] == 30 * 14 * 12


def test_seeds_are_translated_into_all_other_languages(config, rows):
    texts = [
        line.split("\t")[-1]
        for sheet in ("categories", "activities", "styles", "instructions")
        for line in (ROOT / f"resources/seeds/pl/{sheet}.tsv").read_text(encoding="utf-8").splitlines()[1:]
    ]
    styles = (ROOT / "resources/seeds/pl/styles.tsv").read_text(encoding="utf-8").splitlines()[1:]
    texts += [line.split("\t")[1] for line in styles]  # whose last column is the definition
    row = rows()["translate_seeds/seeds.jsonl"]
    # Slots such as {style} are XML tags around their own text.
    assert row["characters"] == 11 * sum(map(len, texts))
    assert row["requests"] == 11 * len(texts)
    assert row["api_calls"] == 11 * 2  # fifty texts at a time
    assert row["money"] == pytest.approx(row["characters"] * 20 / 1e6)
    config["dataset"]["translation"] |= {"backend": "memory", "memory": "resources/miniature/translation_memory.tsv"}
    assert [rows()["translate_seeds/seeds.jsonl"][key] for key in ("characters", "api_calls", "money")] == [0, 0, 0]


def test_the_adjudicator_is_asked_for_a_share_and_paid_by_token(rows):
    row = rows()["adjudicate/8b/refuseu_test.jsonl"]
    items = 1400 * 12 * 0.1
    template = len((ROOT / "resources/templates/classify.txt").read_text(encoding="utf-8"))
    read, wrote = items * (100 + 512 * 0.5 * 2 + template) / 2, items * 64 * 0.5
    assert (row["requests"], row["api_calls"]) == (pytest.approx(items), pytest.approx(items))
    assert row["money"] == pytest.approx((read * 1 + wrote * 4) / 1e6)
    assert row["gpu_hours"] == row["gpu_hours_unknown"] == 0


def test_gpu_hours_follow_the_throughputs_and_the_unknown_stays_unknown(rows):
    found = rows()
    assert found["generate/8b/refuseu_test.jsonl"]["gpu_hours"] == pytest.approx(16800 * 512 * 0.5 / 1000 / 3600)
    guard = found["judge/llama_guard_3/8b/refuseu_test.jsonl"]
    tokens = 16800 * ((100 + 512 * 0.5 * 2 + 1000) / 2 + 64 * 0.5)
    assert guard["gpu_hours"] == pytest.approx(tokens / 2000 / 3600)
    for output in ("align/8b-balanced-s1/adapter_model.safetensors", "judge/polyguard/8b/refuseu_test.jsonl"):
        assert (found[output]["gpu_hours"], found[output]["gpu_hours_unknown"]) == (0, 1)
    assert found["fetch_model/llama_guard_3.json"]["disk_gb"] == 16
    assert found["fetch_model/8b.json"]["disk_gb_unknown"] == 1


def test_benchmarks_have_their_documented_sizes_and_bundled_ones_are_counted(rows):
    found = rows()
    assert found["generate/8b/rtp_lx.jsonl"]["requests"] == 7 * 12
    assert found["generate/8b/polyglotox.jsonl"]["requests"] == 9 * 8
    assert found["knowledge/8b/global_mmlu.jsonl"]["requests"] == 11 * 10  # nine of ours, and Korean
    borderline = found["generate/8b/borderline.jsonl"]
    assert borderline["counted"] == 1 and borderline["requests"] == 40 * 12
    fluency = found["generate/8b/fluency.jsonl"]["requests"]
    assert found["judge_fluency/8b/fluency.jsonl"]["requests"] == 2 * fluency


def test_a_limit_bounds_the_questions(config, rows):
    config["knowledge"]["limit"] = 4
    assert rows()["knowledge/8b/global_mmlu.jsonl"]["requests"] == pytest.approx(4 * 10)


def test_solved_questions_are_read_each_time(config, rows):
    plain = rows()["knowledge/8b/global_mmlu.jsonl"]["tokens_in"]
    config["knowledge"]["few_shot"] = 5
    assert rows()["knowledge/8b/global_mmlu.jsonl"]["tokens_in"] == 6 * plain


def test_questions_that_are_shown_solved_are_not_asked(rows):
    questions = [{"question": "12", "option_a": "1", "split": split} for split in ("test", "test", "dev")]
    write_jsonl(RESULTS / "load_benchmark/global_mmlu.jsonl", questions)
    assert rows()["knowledge/8b/global_mmlu.jsonl"]["requests"] == 2


def test_training_reads_both_answers_in_every_epoch(rows):
    found = rows()
    each = (38 * 10 * 60 * 0.25 * 0.5) - 1400
    one, every = (found[f"align/8b-{v}-s1/adapter_model.safetensors"] for v in ("single_de", "balanced"))
    assert one["requests"] == pytest.approx(3 * each) and every["requests"] == pytest.approx(12 * 3 * each)
    assert one["tokens_in"] == pytest.approx(3 * each * 2 * (100 + 512 * 0.5 * 2) / 2)
    assert found["translate_prompts/english_only_to_all.jsonl"]["characters"] == pytest.approx(each * 11 * 100)


def test_what_two_routes_translate_is_paid_once(rows, monkeypatch):
    routes = {"first": (("en", "de"), ("en", "pl")), "second": (("en", "de", "pl"), ("en", "de", "pl"))}
    monkeypatch.setattr(Study, "routes", routes)
    found, each = rows(), (38 * 10 * 60 * 0.25 * 0.5 - 1400) * 100
    # en→pl, de→en, de→pl; then en→de, pl→en, pl→de.
    assert [found[f"translate_prompts/{name}.jsonl"]["characters"] for name in routes] == pytest.approx([3 * each] * 2)


def test_the_released_dataset_is_not_built(config, rows):
    config["dataset"]["source"] = "hub"
    found = rows()
    assert not [output for output in found if output.startswith(("generate_prompts", "label_", "answer_prompts"))]
    assert "fetch_model/mistral_24b.json" not in found
    assert found["align/8b-balanced-s1/adapter_model.safetensors"]["requests"] == 10 * 12 * 3
    assert found["generate/8b/refuseu_test.jsonl"]["requests"] == 5 * 12


# Filled in rounds


@pytest.fixture
def filled(config):
    config["dataset"]["fill"] = {"pairs": 300, "rounds": 3, "most": 15000}


def test_before_the_pilot_the_papers_yield_tells_how_many_prompts_are_needed(filled, rows):
    found = rows()
    main = found["generate_prompts/main/mistral_24b.jsonl"]
    assert main["requests"] == pytest.approx(300 / 0.04 * 14 * 12 - 500 * 12)
    assert found["answer_prompts/pilot/chosen.jsonl"]["requests"] == 500 * 12 * 0.25
    assert found["answer_prompts/main/chosen.jsonl"]["requests"] == pytest.approx(main["requests"] * 0.25)
    assert found["generate_prompts/round2/mistral_24b.jsonl"]["requests"] == 0
    trained = found["align/8b-balanced-s1/adapter_model.safetensors"]["requests"]
    assert trained == pytest.approx(3 * (300 * 14 - 1400) * 12)


def test_after_the_pilot_what_it_measured_goes_before_the_assumptions(config, filled, rows):
    phase = [{"prompt_id": str(n), "language": "en", "category": "S1", "prompt": "P"} for n in range(10)]
    write_jsonl(RESULTS / "generate_prompts/pilot/mistral_24b.jsonl", phase)
    write_jsonl(RESULTS / "filter_prompts/pilot/prompts.jsonl", phase[:8])
    write_jsonl(RESULTS / "build_pairs/pilot/pairs.jsonl", phase[:2])
    write_jsonl(RESULTS / "feasibility/main.jsonl", [{"more": 100}, {"more": 60}])
    found = rows()
    assert found["generate_prompts/main/mistral_24b.jsonl"]["requests"] == 160
    assert found["answer_prompts/main/chosen.jsonl"]["requests"] == 160 * 0.8
    config["dataset"] |= {"fill": None, "prompts_per_category": 1000}
    found = rows()
    assert found["answer_prompts/main/chosen.jsonl"]["requests"] == pytest.approx(14 * 12 * 1000 * 0.8)
    each = 14 * 1000 * 0.8 * (2 / 8) - 1400
    assert found["align/8b-single_de-s1/adapter_model.safetensors"]["requests"] == pytest.approx(3 * each)


def test_the_labels_of_a_pilot_alone_tell_how_many_prompts_are_kept(rows):
    ends = {"finish_reason": "stop", "detected": "en"}
    prompts = [{"prompt_id": str(n), "language": "en", "prompt": "P", **ends} for n in range(5)]
    prompts[0]["detected"], prompts[1]["finish_reason"] = "de", "length"
    write_jsonl(RESULTS / "generate_prompts/pilot/mistral_24b.jsonl", prompts)
    for guard, safe in (("llama_guard_3", "2"), ("polyguard", "")):
        labels = [{"prompt_id": str(n), "generator": name, "label": "safe" if str(n) == safe else "unsafe"}
                  for name in ("mistral_24b", "70b_instruct") for n in range(5)]  # fmt: skip
        write_jsonl(RESULTS / f"label_prompts/pilot/{guard}.jsonl", labels)
    found = rows()
    main = found["generate_prompts/main/mistral_24b.jsonl"]["requests"]
    assert found["answer_prompts/main/chosen.jsonl"]["requests"] == pytest.approx(main * 2 / 5)


def test_of_a_journal_that_phases_share_the_answers_to_other_phases_do_not_count(filled, rows):
    output = "generate_prompts/main/mistral_24b.jsonl"
    write_jsonl(RESULTS / "feasibility/main.jsonl", [{"more": 160}])
    answers = [(i, {"text": "", "prompt_tokens": 1, "completion_tokens": 1}) for i in range(25)]
    keys = [str(i) for i in range(25)]
    Journal(journal_path(RESULTS / output, "main"), "mistral_24b").ask(keys, keys, lambda _: answers)
    fill("generate_prompts/pilot/mistral_24b.jsonl", 20, prompt="P", language="en", detected="en")
    found = rows()[output]
    assert (found["held"], found["requests"]) == (5, 155)


# With files


def test_what_is_there_costs_nothing_more(rows):
    fill("generate/8b/refuseu_test.jsonl", 3, prompt="P", response="R")
    row = rows()["generate/8b/refuseu_test.jsonl"]
    assert (row["done"], row["requests"], row["gpu_hours"], row["disk_gb"]) == (1, 0, 0, 0)


def test_requests_are_counted_where_files_are_there(rows):
    fill("load_benchmark/rtp_lx.jsonl", 5, prompt="12345678")
    fill("generate/8b/refuseu_test.jsonl", 4, prompt="1234", response="123456")
    found = rows()
    asked = found["generate/8b/rtp_lx.jsonl"]
    assert (asked["requests"], asked["tokens_in"], asked["counted"]) == (5, 5 * 8 / 2, 1)
    judged = found["judge/llama_guard_3/8b/refuseu_test.jsonl"]
    assert (judged["requests"], judged["tokens_in"], judged["counted"]) == (4, 4 * (4 + 6 + 1000) / 2, 1)
    assert found["judge/llama_guard_3/8b_instruct/refuseu_test.jsonl"]["counted"] == 0


def test_disputes_are_counted_once_both_guards_have_spoken(rows):
    fill("generate/8b/refuseu_test.jsonl", 4, prompt="1234", response="123456")
    labels = {"a": "safe", "b": "unsafe", "c": "unparsed", "d": "cut", "e": "unparsed"}
    one = [{"prompt_id": key, "language": "en", "label": label} for key, label in labels.items()]
    other = [row | {"label": "safe"} if row["prompt_id"] == "c" else row for row in reversed(one)]
    write_jsonl(RESULTS / "judge/llama_guard_3/8b/refuseu_test.jsonl", one)
    write_jsonl(RESULTS / "judge/polyguard/8b/refuseu_test.jsonl", other)
    row = rows()["adjudicate/8b/refuseu_test.jsonl"]
    assert (row["requests"], row["counted"]) == (2, 1)  # c and e, in whatever order the rows are


def test_pairs_are_counted_by_language(rows):
    turns = {side: [{"content": "12"}, {"content": text}] for side, text in (("chosen", "1"), ("rejected", "123"))}
    pairs = [{"language": code, "prompt": "12", **turns} for code in CODES for _ in range(2)]
    write_jsonl(RESULTS / "split_pairs/train.jsonl", pairs)
    found = rows()
    row = found["align/8b-single_de-s1/adapter_model.safetensors"]
    assert (row["requests"], row["tokens_in"], row["counted"]) == (2 * 3, 2 * 3 * 8 / 2, 1)
    assert found["reference/8b.parquet"]["requests"] == 24
    assert found["translate_prompts/english_only_to_all.jsonl"]["characters"] == 2 * 11 * 2


def test_translations_in_the_store_are_those_of_the_jobs_that_are_done_and_then_of_the_next(rows):
    pairs = [{"language": code, "prompt": "12", "chosen": [], "rejected": []} for code in CODES for _ in range(2)]
    write_jsonl(RESULTS / "split_pairs/train.jsonl", pairs)
    name, seeds = "translate_prompts/english_only_to_all.jsonl", rows()["translate_seeds/seeds.jsonl"]["requests"]
    keys = [str(n) for n in range(int(seeds) + 5)]
    store = Journal(translations_path(RESULTS / name), "deepl")
    store.ask(keys, keys, lambda _: [(n, {"text": "", "characters": 2}) for n in range(len(keys))])
    for done in (False, True):
        if done:
            fill("translate_seeds/seeds.jsonl", 1)
        assert rows()["translate_seeds/seeds.jsonl"]["requests"] == 0
        assert (rows()[name]["held"], rows()[name]["requests"]) == (5, 2 * 11 - 5)


def journal(output, who, number):
    answers = [(i, {"text": "", "prompt_tokens": 1, "completion_tokens": 1}) for i in range(number)]
    keys = [f"{who} {i}" for i in range(number)]
    Journal(journal_path(RESULTS / output), who).ask(keys, keys, lambda _: answers)


def test_what_the_journal_holds_is_subtracted(rows):
    output = "judge/llama_guard_3/8b/refuseu_test.jsonl"
    whole = rows()[output]
    journal(output, "llama_guard_3", 4200)
    Path(journal_path(RESULTS / output)).with_suffix(".uses").unlink()  # its pace would be known, too
    row = rows()[output]
    assert (row["held"], row["requests"]) == (4200, 16800 - 4200)
    for key in ("tokens_in", "tokens_out", "gpu_hours"):
        assert row[key] == pytest.approx(whole[key] * 0.75)


def test_answers_of_another_model_do_not_count(rows):
    journal("adjudicate/8b/refuseu_test.jsonl", "another", 50)
    assert rows()["adjudicate/8b/refuseu_test.jsonl"]["held"] == 0


def test_the_pace_of_this_study_goes_before_the_table(rows):
    path = Path(journal_path(RESULTS / "judge/polyguard/8b/rtp_lx.jsonl"))
    path.parent.mkdir(parents=True)
    lines = [{"who": "polyguard", "known": 0, "hits": 0, "misses": 10, "dropped": 0}, {"answered": 10, "seconds": 5}]
    path.with_suffix(".uses").write_text("".join(json.dumps(line) + "\n" for line in lines))
    row = rows()["judge/polyguard/8b/refuseu_test.jsonl"]
    assert (row["gpu_hours"], row["gpu_hours_unknown"]) == (pytest.approx(16800 * 0.5 / 3600), 0)


def test_a_finished_training_tells_how_long_the_others_take(rows):
    manifest = RESULTS / "align/8b-single_de-s1/manifest.json"
    manifest.parent.mkdir(parents=True)
    recipe = {"trainer": {"num_train_epochs": 3}}
    manifest.write_text(json.dumps({"pairs": {"pairs": 100}, "seconds": 600, "recipe": recipe}))
    found = rows()
    row = found["align/8b-single_fr-s1/adapter_model.safetensors"]
    assert row["gpu_hours"] == pytest.approx(row["requests"] * 2 / 3600)
    assert found["align/70b-balanced-s1/adapter_model.safetensors"]["gpu_hours_unknown"] == 1


def test_a_training_is_reckoned_on_the_gpus_that_it_takes(paper, rows, tmp_path):
    sheet = Path(paper["sheets"]["models"]).read_text(encoding="utf-8")
    manifest = RESULTS / "align/8b-single_de-s1/manifest.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(json.dumps({"pairs": {"pairs": 100}, "seconds": 600, "recipe": {}}))
    paper["sheets"]["models"] = str(tmp_path / "models.tsv")
    found = []
    for gpus in ("1", "4"):
        Path(tmp_path, "models.tsv").write_text(sheet.replace("\tbfloat16\t1\t1\t", f"\tbfloat16\t1\t{gpus}\t"))
        found.append(rows()["align/8b-single_fr-s1/adapter_model.safetensors"]["gpu_hours"])
    assert found[1] == pytest.approx(4 * found[0]) and found[0] > 0


def test_whole_models_and_the_reference_of_held_out_pairs_are_in_the_plan(paper, rows, tmp_path):
    recipes = shutil.copytree(paper["sheets"]["recipes"], tmp_path / "recipes")
    recipe = yaml.safe_load((recipes / "dpo_8b.yaml").read_text()) | {"lora": None}
    recipe["trainer"]["eval_strategy"] = "epoch"
    (recipes / "dpo_8b.yaml").write_text(yaml.safe_dump(recipe))
    paper["sheets"]["recipes"] = str(recipes)
    found = rows()
    assert found["align/8b-single_de-s1/weights"]["stage"] == "align_fully"
    assert found["align/70b-balanced-s1/adapter_model.safetensors"]["stage"] == "align"
    assert "reference_held_out/70b.parquet" not in found
    scored, answer = found["reference_held_out/8b.parquet"], paper["dataset"]["answers"]["max_new_tokens"]
    assert scored["requests"] == 100 * 14 * 12
    assert scored["tokens_in"] == pytest.approx(2 * scored["requests"] * (100 + answer * 0.5 * 2) / 2)


def test_a_run_is_reckoned_by_the_jobs_that_it_runs(rows):
    output = f"{RESULTS}/generate/8b/refuseu_test.jsonl"
    fill("generate/8b/refuseu_test.jsonl", 3, prompt="P", response="R")  # there, but to be made again
    found = rows(remaining={output})
    assert [name for name, row in found.items() if not row["done"]] == ["generate/8b/refuseu_test.jsonl"]


# Sums, words, tables


def test_sums_by_model_by_stage_and_in_all(config, tables):
    plan = Plan(Study(config), tables)
    table = plan.table()
    for key in ("jobs", "requests", "gpu_hours", "money"):
        stages = [row[key] for row in table if row["model"] == "all" and row["stage"] != "all"]
        models = [row[key] for row in table if row["model"] != "all"]
        assert sum(stages) == pytest.approx(sum(models)) == pytest.approx(plan.total[key])
    assert table[-1] is plan.total


def test_the_page_names_every_figure_that_it_rests_on(config, tables):
    text = page(Plan(Study(config), tables), "2026-01-02 03:04:05.6")
    assert "Made on 2026-01-02 03:04." in text
    for about, what in ASSUMPTIONS:
        assert f"| {about} | {what} |" in text
    assert text.count("a page") == len(ASSUMPTIONS) + len(SPEEDS) + len(PRICES)
    assert "jobs: ?)" in text


TOTAL = {
    "jobs": 10, "done": 4, "api_calls": 1200, "currency": "USD", "gpu_hours": 12.5, "gpu_hours_unknown": 2,
    "money": 3, "money_unknown": 0,
}  # fmt: skip


def test_the_total_in_one_line():
    assert sentence(TOTAL) == (
        "6 jobs that cost something, with 12.50 (+ 2 jobs: ?) GPU-hours, 1,200 API calls and 3 USD"
    )


@pytest.mark.parametrize(
    ("budget", "said"),
    [
        ({"money": None, "gpu_hours": None}, None),
        ({"money": 3, "gpu_hours": 12.5}, None),
        ({"money": 2.5, "gpu_hours": None}, "3 USD, more than the 2.50 of budget.money"),
        ({"money": None, "gpu_hours": 0}, "12.50 (+ 2 jobs: ?) GPU-hours, more than the 0 of budget.gpu_hours"),
    ],
)
def test_a_budget_is_exceeded_by_what_is_known(budget, said):
    assert exceeded(TOTAL, budget) == said


def test_a_missing_assumption_is_one_sentence(config, tables):
    path = tables / "assumptions.tsv"
    path.write_text("".join(line for line in path.read_text().splitlines(True) if not line.startswith("rtp_lx")))
    with pytest.raises(UserError, match="has no value for rtp_lx, prompts; add the row"):
        Plan(Study(config), tables)


@pytest.mark.parametrize(
    ("name", "number"), [("assumptions", "value"), ("throughput", "tokens_per_second"), ("prices", "price")]
)
def test_every_figure_that_is_shipped_has_a_source_and_a_date(name, number):
    for row in read_rows(ROOT / f"resources/plan/{name}.tsv", name):
        assert row["source"]
        assert bool(row["date"]) == (row[number] is not None)


def test_the_shipped_tables_know_every_model_of_the_paper(paper):
    study, folder = Study(paper), ROOT / "resources/plan"
    used = {job.model.repository for job in Plan(study).jobs if job.task == "fetch"}
    known = {row["about"] for row in read_rows(folder / "assumptions.tsv", "assumptions") if row["what"] == "weights"}
    assert used <= known
