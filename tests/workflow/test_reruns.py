"""What reruns what: for each kind of change exactly the jobs that are promised, by dry runs over finished studies."""

import os
import re
from contextlib import ExitStack

import pytest

from refuseu.artifacts.declared import ARTIFACTS
from refuseu.runner.provenance import counted, reached
from support.helpers import SCRIPTS, Finished, inside, read_yaml
from support.studies import FIGURES, STUDIES

DATASET = {
    "fetch_model", "fetch_benchmark", "fetch_language_model", "wording", "train_tokenizer", "train_model",
    "translate_seeds", "feasibility",
    "generate_prompts", "label_prompts", "filter_prompts", "answer_prompts", "label_answers", "build_pairs",
    "split_pairs",
}  # fmt: skip
ASKING = {"load_benchmark", "generate", "judge", "adjudicate", "judge_fluency", "knowledge"}
TRAINING = {"reference", "translate_prompts", "align"}


@pytest.fixture(scope="module", params=STUDIES)
def study(request, tmp_path_factory):
    """A finished study with what its sheets hold."""
    sheets = STUDIES[request.param]
    finished = Finished(tmp_path_factory.mktemp(request.param), *sheets.profile)
    finished.sheets, finished.config = sheets, "config/miniature" if request.param == "miniature" else "config"
    return finished


def rule(job):
    return job.split()[0]


def of(study, *rules):
    return {job for job in study.all if rule(job) in rules}


def naming(study, word, *spared):
    """Jobs with this wildcard."""
    return {job for job in study.all if word in job.split()[1:] and rule(job) not in spared}


def reruns(study, config=None):
    """The jobs that would run again, with this laid over the config."""
    if config is None:
        return study.planned(*study.arguments)
    own = ["config/miniature/config.yaml"] if study.config == "config/miniature" else []
    return study.planned(*study.arguments, "--configfile", *own, study.overlay("change.yaml", config))


def sheet(study, name, edit):
    return study.edited(f"{study.config}/{name}.tsv", edit)


def test_comments_key_order_blanks_notes_and_file_times_rerun_nothing(study):
    for file in study.folder.rglob("*"):
        if file.is_file() and ".snakemake" not in file.parts:
            os.utime(file)
    changes = [
        (
            "config/config.yaml",
            lambda text: "# A comment.\n" + re.sub(r"(figures: )\{dpi: (\d+), ", r"\1{  dpi:  \2, ", text),
        ),
        ("config/config.yaml", lambda text: "\n\n".join(reversed(text.split("\n\n")))),
        (f"{study.config}/variants.tsv", lambda text: re.sub(r"transfer matrix", "another note", text)),
        ("resources/languages.tsv", lambda text: text + "xx\tNew\txxx\txxx_Latn\tXX\tXX\n"),
        ("resources/guard_languages.tsv", lambda text: text.replace("\ten\t", "\ten,de\t")),  # of wildguard, unused
        ("workflow/scripts/refuseu/evaluation/guards.py", lambda text: "# A comment.\n\n" + text),
        ("workflow/scripts/align.py", lambda text: text + "\n\n# The end.\n"),
        ("workflow/scripts/refuseu/job/start.py", lambda text: text + "\nNEW = 1\n"),
    ]
    with ExitStack() as stack:
        for path, edit in changes:
            stack.enter_context(study.edited(path, edit))
        assert reruns(study) == set()


def test_what_only_makes_jobs_faster_reruns_nothing(study):
    def more_gpus(text):
        return re.sub(r"(?m)^(.*\tbase\t.*\t|.*\tguard\t.*\t)(bfloat16|float32)\t[01]\t", r"\1\2\t2\t", text)

    changes = {"generation": {"batch_size": 5}, "knowledge": {"batch_size": 3}, "api": {"concurrent": 2, "timeout": 9}}
    with sheet(study, "models", more_gpus):
        assert {rule(job) for job in reruns(study, changes)} <= {"plan"}


def test_whether_jobs_are_measured_reruns_nothing(study):
    warm = read_yaml(f"{study.config}/config.yaml")["warm_workers"]
    assert {rule(job) for job in reruns(study, {"warm_workers": not warm})} <= {"plan"}


def test_the_style_reruns_figures(study):
    assert {rule(job) for job in reruns(study, {"figures": {"dpi": 77}})} == {*FIGURES, "report", "all"}


def test_whether_answers_are_revealed_reruns_nothing_but_their_page(study):
    revealed = {"report": {"reveal": True}}
    assert {rule(job) for job in reruns(study, revealed)} <= {"plan"}


def test_resamples_rerun_measures_tables_and_figures(study):
    found = reruns(study, {"statistics": {"resamples": 777}})
    assert found == study.after(of(study, "measure", "compare", "agreement", "table6"))
    assert not {rule(job) for job in found} & (DATASET | TRAINING | ASKING)


def test_a_language_that_is_only_evaluated_trains_nothing_and_reruns_only_benchmarks_that_have_it(study):
    low = ["pl", "cs", "sk", "sl", "lt", "lv", "et"]
    found = reruns(study, {"languages": {"low_resource": low}, "evaluation_only": ["et"]})
    new = naming(study, "rtp_lx") | naming(study, "benign") | naming(study, "borderline") | naming(study, "fluency")
    new |= of(study, "fetch_language_model") & found
    assert {job for job in found if rule(job) in DATASET | TRAINING | ASKING} == {
        job for job in new if rule(job) in ASKING
    }


def test_a_variant_reruns_its_training_and_evaluation_and_what_shows_it(study):
    base, model = study.sheets.bases[0], f"{study.sheets.bases[0]}-single_en-s1"
    recipe = study.sheets.trained[f"{base}-balanced-s1"][4]
    with sheet(study, "variants", lambda text: text + f"single_en\t{base}\ten\tdpo\t{recipe}\t1\t\n"):
        found = reruns(study)
    own = {f"align {model}"}
    own |= {f"{step} {model} refuseu_test" for step in ("generate", "adjudicate", "measure")}
    own |= {f"judge {guard} {model} refuseu_test" for guard in study.sheets.guards}
    assert {job for job in found if rule(job) in DATASET | TRAINING | ASKING | {"measure", "compare"}} == {
        *own, f"compare {base} refuseu_test"
    }  # fmt: skip
    assert {"table2", "transfer_figure", "transfer_consistency_figure"} <= found
    others = {"table1", "table3", "table16", "rtp_lx", "outcomes_table", "fig3", "fig4", "fig6", "fig12"}
    assert not others & found  # fig8 does not show it, and reads the comparisons, which are made anew


def test_other_languages_of_a_variant_train_it_alone_again(study):
    base = study.sheets.bases[0]
    with sheet(study, "variants", lambda text: text.replace(f"single_lv\t{base}\tlv\t", f"single_lv\t{base}\tlt\t")):
        found = reruns(study)
    steps = DATASET | TRAINING | ASKING
    after = study.after({f"align {base}-single_lv-s1"})
    assert {job for job in found if rule(job) in steps} == {job for job in after if rule(job) in steps}


def test_a_recipe_reruns_the_trainings_with_it_and_their_evaluation(study):
    base = study.sheets.bases[0]
    recipe = study.sheets.trained[f"{base}-balanced-s1"][4]
    contents = {path.stem: read_yaml(path) for path in (study.folder / study.config / "recipes").glob("*.yaml")}
    named = {recipe, *(name for name, content in contents.items() if content.get("include") == f"{recipe}.yaml")}
    trained = {model for model, row in study.sheets.trained.items() if row[4] in named}
    with study.edited(f"{study.config}/recipes/{recipe}.yaml", lambda text: re.sub(r"(beta: )\S+", r"\g<1>0.3", text)):
        found = reruns(study)
    assert found == study.after({f"align {model}" for model in trained})
    assert not {rule(job) for job in found} & (DATASET | TRAINING - {"align"})
    asked = {job.split()[1] for job in found if rule(job) in ("generate", "knowledge", "adjudicate")}
    assert asked == trained


def test_another_adjudicator_reruns_adjudications_and_what_follows(study):
    old = {"miniature": "adjudicator", "paper": "gpt_4o_mini"}["miniature" if "mini" in study.config else "paper"]

    def edit(text):
        line = next(line for line in text.splitlines() if line.startswith(f"{old}\t"))
        return text + line.replace(f"{old}\t", "another\t", 1) + "\n"

    with sheet(study, "models", edit):
        found = reruns(study, {"judging": {"adjudicator": "another"}})
    assert found == study.after(of(study, "adjudicate", "judge_accuracy", "claims"))
    assert not {rule(job) for job in found} & (DATASET | TRAINING | ASKING - {"adjudicate"})


def test_a_guard_reruns_its_labels_and_what_follows(study):
    guard = study.sheets.guards[1]
    with sheet(
        study, "models", lambda text: re.sub(rf"(?m)^({guard}\t.*\t)(bfloat16|float32)(\t)", r"\1float16\3", text)
    ):
        found = reruns(study)
    assert found == study.after(
        naming(study, guard, "fetch_model", "train_model", "wording") | of(study, "judge_accuracy")
    )
    # What it kept decides what later rounds ask for, which the other guard has to label.
    first = {"pilot", "main"} if "mini" in study.config else {"pilot"}
    again = [job.split() for job in found if rule(job) == "label_prompts"]
    assert not [words for words in again if study.sheets.guards[0] in words and first & {*words}]


def test_languages_that_a_judge_was_made_for_rerun_the_tables_that_say_so(study):
    def edit(text):
        return text.replace("ja,ko,pl,", "ja,ko,").replace("sl,lt,lv,hr", "sl,lt,hr")  # of polyguard and qwen3guard

    with study.edited("resources/guard_languages.tsv", edit):
        assert reruns(study) == study.after(of(study, "disagreement", "agreement_table", "circularity"))


@pytest.mark.parametrize(
    ("code", "corrected", "using"),
    [
        ("slk_Latn", "slo_Latn", {"generate_prompts", "answer_prompts", "measure", "confusion"}),
        ("SK\tSK", "SK\tSK-SK", {"translate_seeds", "translate_prompts"}),
    ],
)
def test_a_corrected_code_of_a_language_reruns_what_was_identified_or_translated_with_it(study, code, corrected, using):
    using = set() if "mini" in study.config else using  # which has lingua and a translation memory
    with study.edited("resources/languages.tsv", lambda text: text.replace(code, corrected)):
        assert reruns(study) == study.after(of(study, *using))


def test_an_edit_of_a_module_reruns_the_rules_that_use_it(study):
    plots = SCRIPTS / "refuseu/artifacts/plots.py"
    using = {path.stem for path in SCRIPTS.glob("*.py") if plots in reached(path)}
    drawn = [one for one in ARTIFACTS if one.kind != "page"]
    using |= {one.target for one in drawn if plots in counted(SCRIPTS / f"{one.kind}.py", (), one.function)}
    with study.edited("workflow/scripts/refuseu/artifacts/plots.py", lambda text: text + "\nNEW = 1\n"):
        found = reruns(study)
    assert found == study.after(of(study, *using))
    assert {rule(job) for job in found} == {*FIGURES, "report", "all"}


@pytest.mark.parametrize(
    ("module", "function", "targets"),
    [
        ("safety", "fig4", {"fig4"}),
        ("safety", "asr_table", {"table1", "table16", "rtp_lx", "polyglotox"}),
        ("dataset", "leakage", {"leakage"}),
        ("quality", "fluency_by_run", {"fig6", "fig10"}),
        ("judges", "judge_error", {"judge_error"}),
    ],
)
def test_an_edit_of_a_drawing_function_reruns_what_it_draws_and_the_report(study, module, function, targets):
    with study.edited(f"workflow/scripts/refuseu/artifacts/{module}.py", inside(function)):
        assert {rule(job) for job in reruns(study)} == targets | {"report", "all"}


def test_an_edit_of_a_caption_reruns_the_report_alone(study):
    declared = "workflow/scripts/refuseu/artifacts/declared/safety.py"
    with study.edited(
        declared, lambda text: text.replace("the unweighted mean. Darker", "the unweighted mean: darker")
    ):
        assert reruns(study) == {"report", "all"}


def test_an_edit_of_what_stands_or_falls_together_measures_again_and_asks_no_model(study):
    with study.edited("workflow/scripts/refuseu/analysis/dependence.py", inside("clusters")):
        found = reruns(study)
    assert of(study, "measure", "compare", "over_seeds", "claims") <= found
    assert not {rule(job) for job in found} & (DATASET | TRAINING | ASKING)


def test_an_edit_of_the_consistency_loss_trains_only_the_runs_with_it_again(study):
    with_it = {f"align {model}" for model, row in study.sheets.trained.items() if row[3].endswith("+mlc")}
    with study.edited("workflow/scripts/refuseu/training/mlc.py", lambda text: text + "\nNEW = 1\n"):
        found = reruns(study)
    assert with_it and found == study.after(with_it)
    assert {job for job in found if rule(job) in TRAINING} == with_it
