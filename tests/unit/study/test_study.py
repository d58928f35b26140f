"""A study is read and checked at once; every mistake is one sentence with file, key and cure."""

import csv
import io
from copy import deepcopy

import pytest
import yaml
from snakemake.utils import update_config

from refuseu.errors import UserError
from refuseu.evaluation.guards import not_covered
from refuseu.schemas import load_schema, read_tsv
from refuseu.study.sheets import load_recipe
from refuseu.study.study import Study
from support.helpers import CODES, ROOT, read_yaml


def change(config, key, value):
    """Set a dotted key; a value of None removes it."""
    *parents, last = key.split(".")
    for part in parents:
        config = config[part]
    if value is None:
        del config[last]
    else:
        config[last] = value


@pytest.fixture(params=["paper", "miniature"])
def config(request):
    return request.getfixturevalue(request.param)


def refused(config):
    """The one sentence that refuses a config."""
    with pytest.raises(UserError) as error:
        Study(config, "my.yaml")
    message = str(error.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("fill", "said"),
    [
        ({"pairs": 100}, "key dataset.fill.pairs asks for 100 pairs of each category, of which the test takes 100"),
        (
            {"most": 200},
            "key dataset.fill.most allows 200 prompts of each category, which are fewer than the 306 pairs",
        ),
        ({"rounds": 1}, "key dataset.fill.rounds: 1 does not fit"),
    ],
)
def test_a_dataset_that_cannot_be_filled_is_refused(paper, fill, said):
    paper["dataset"]["fill"] |= fill
    assert said in refused(paper)


def test_the_model_that_fills_the_dataset_is_in_the_pilot(paper):
    paper["dataset"]["generators"]["pilot"] = ["70b_instruct"]
    assert "key dataset.generators.main names 'mistral_24b', which is not in dataset.generators.pilot" in refused(paper)
    paper["dataset"]["fill"] = None
    Study(paper)


class Sheet:
    """A sheet that a test may change before the study reads it."""

    def __init__(self, config, name, folder):
        self.path = folder / f"{name}.tsv"
        with open(config["sheets"][name], encoding="utf-8", newline="") as stream:
            self.header, *self.rows = list(csv.reader(stream, delimiter="\t"))
        config["sheets"][name] = str(self.path)
        self.write()

    def set(self, line, column, value):
        self.rows[line - 2][self.header.index(column)] = value
        self.write()

    def write(self):
        out = io.StringIO()
        csv.writer(out, delimiter="\t", lineterminator="\n").writerows([self.header, *self.rows])
        self.path.write_text(out.getvalue(), encoding="utf-8")


@pytest.fixture
def sheet(config, tmp_path):
    return lambda name: Sheet(config, name, tmp_path)


# What is right


def test_the_papers_study_loads(paper):
    study = Study(paper)
    assert study.name == "paper"
    assert study.languages == CODES
    assert len(study.models) == 14
    assert len(study.variants) == len((ROOT / "config/variants.tsv").read_text().splitlines()) - 1
    assert list(study.benchmarks) == ["refuseu_test", "rtp_lx", "polyglotox", "borderline", "fluency", "global_mmlu"]
    assert study.variants["8b-balanced-s2"].languages == CODES
    assert study.variants["70b-no_english-s1"].languages == CODES[1:]
    assert study.variants["8b-single_lv-s1"].languages == ("lv",)
    assert study.recipes["dpo_8b"]["trainer"]["beta"] == 0.1


def test_the_miniature_loads_and_is_the_same_graph(paper, miniature):
    big, small = Study(paper), Study(miniature)
    assert small.name == "miniature"
    assert small.languages == CODES
    easier = {"borderline": "benign"}  # its models know nothing beyond their own small set
    assert list(small.benchmarks) == [easier.get(name, name) for name in big.benchmarks]
    assert [row.kind for row in small.benchmarks.values()] == [row.kind for row in big.benchmarks.values()]
    # The miniature trains with every method at least once.
    more = {"sft", "orpo", "simpo"}
    assert {v.variant for v in small.variants.values()} == {v.variant for v in big.variants.values()} | more
    assert {v.objective for v in small.variants.values()} == more | {"dpo"}
    assert small.models["small"].repository == "results/miniature/train_model/small"
    assert all(row.gpus == 0 and row.revision == "local" for row in small.models.values())
    assert set(miniature["miniature"]["models"]) == set(small.models)


def test_the_released_dataset_is_an_overlay(paper):
    update_config(paper, read_yaml("config/released.yaml"))
    assert Study(paper).config["dataset"]["source"] == "hub"


def test_the_three_language_cut_of_the_tests_loads(miniature):
    cut = read_yaml("tests/config/cut.yaml")
    update_config(miniature, cut)
    assert Study(miniature).languages == ("en", "de", "pl")


def test_language_sets_are_named_listed_or_everything(miniature):
    study = Study(miniature)
    assert study.language_set("all", "") == CODES
    assert study.language_set("global_mmlu", "") == ("en", "de", "fr", "it", "es", "pt", "pl", "cs", "lt")
    assert study.language_set("pl", "") == ("pl",)
    assert study.language_set("pl, en,de", "") == ("pl", "en", "de")


def test_each_benchmark_says_which_models_it_takes(miniature):
    study = Study(miniature)
    assert study.models_on("refuseu_test") == list(study.evaluated)
    assert len(study.evaluated) == 6 + 26  # two bases, their twins, two open models; all variants
    runs = ["balanced", "high_resource", "english_only", "no_english", "english_only_mlc"]
    assert sorted(study.models_on("benign")) == sorted(
        ["small", "large", "small_instruct", "large_instruct"]
        + [f"{base}-{run}-s1" for base in ("small", "large") for run in runs]
        + ["small-balanced_small-s1", "small-english_only_long-s1"]
    )


def test_a_benchmark_may_name_single_models(miniature, tmp_path):
    benchmarks = Sheet(miniature, "benchmarks", tmp_path)
    benchmarks.set(2, "models", "open, small-single_de-s1,large")
    miniature["audit"]["models"] = ["large"]
    assert Study(miniature).models_on("refuseu_test") == ["large", "open_a", "open_b", "small-single_de-s1"]


def test_annotators_judge_the_audited_models_on_the_test_half_only(miniature):
    assert Study(miniature).audited == [(m, "refuseu_test") for m in ("small-balanced-s1", "small-english_only-s1")]
    miniature["audit"]["models"] = ["small-balanced-s7"]
    assert "key audit.models names 'small-balanced-s7'" in refused(miniature)


def test_evaluations_are_models_times_benchmarks_of_a_kind(miniature):
    study = Study(miniature)
    assert len(study.evaluations("harmful")) == 32 + 14 + 14
    assert study.evaluations("knowledge") == [(m, "global_mmlu") for m in study.models_on("global_mmlu")]
    assert len(study.evaluations("benign", "fluency")) == 32
    assert study.evaluations("nothing") == []


def test_a_variant_answers_with_the_weights_of_its_base(miniature):
    study = Study(miniature)
    assert study.answering("large-balanced-s1").model == "large"
    assert study.answering("open_a").model == "open_a"


def test_every_evaluated_model_has_its_labels(miniature):
    evaluated = Study(miniature).evaluated
    assert evaluated["small"] == {
        "model": "small", "base": "small", "variant": "abliterated", "method": "base", "seed": ""
    }  # fmt: skip
    assert evaluated["large_instruct"]["variant"] == evaluated["large_instruct"]["method"] == "instruct"
    assert evaluated["open_b"] == {
        "model": "open_b", "base": "", "variant": "open_b", "method": "open", "seed": ""
    }  # fmt: skip
    assert evaluated["small-english_only_mlc-s1"] == {
        "model": "small-english_only_mlc-s1", "base": "small", "variant": "english_only_mlc",
        "method": "dpo+mlc", "seed": 1,
    }  # fmt: skip
    assert not {"guard_a", "guard_b", "adjudicator", "generator", "fluency_judge"} & set(evaluated)


def test_recipes_include_recipes_section_by_section(tmp_path):
    (tmp_path / "a.yaml").write_text("trainer: {beta: 0.1, max_length: 8}\nlora: {r: 2}\n")
    (tmp_path / "b.yaml").write_text("include: a.yaml\ntrainer: {beta: 0.2}\nmlc: {every: 2}\n")
    assert load_recipe(tmp_path / "b.yaml") == {
        "trainer": {"beta": 0.2, "max_length": 8},
        "lora": {"r": 2},
        "mlc": {"every": 2},
    }


def test_an_empty_recipe_is_a_recipe(tmp_path):
    (tmp_path / "a.yaml").write_text("# nothing\n")
    assert load_recipe(tmp_path / "a.yaml") == {}


def test_one_reference_serves_all_dpo_recipes_of_a_base(miniature):
    study = Study(miniature)
    assert study.reference_settings("small") == {"max_length": 256, "bf16": False}


# What is wrong: the config


def nested_keys(value, prefix=""):
    """Every dotted key of a config whose value is a mapping, and the top."""
    yield prefix.rstrip(".")
    for key, inner in value.items():
        if isinstance(inner, dict) and key not in ("languages", "language_sets", "target_codes"):
            yield from nested_keys(inner, f"{prefix}{key}.")


MERGED = read_yaml("config/config.yaml")
update_config(MERGED, read_yaml("config/miniature/config.yaml"))
# Model names and task names of the miniature are free.
LEVELS = [k for k in nested_keys(MERGED) if k != "miniature.models" and not k.endswith(".tasks")]


@pytest.mark.parametrize("level", LEVELS)
def test_an_unknown_key_is_found_at_every_level(miniature, level):
    change(miniature, f"{level}.hovercraft".lstrip("."), {"full": "eels"} if not level else 1)
    message = refused(miniature)
    assert message.startswith(f"my.yaml, key {level}: " if level else "my.yaml: ")
    assert "unknown key 'hovercraft'" in message


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("figures.dpi", "figures.dpl"),
        ("dataset.split.per_category", "dataset.split.per_catgory"),
        ("statistics", "statistic"),
        ("dataset.generators.main", "dataset.generators.mian"),
        ("miniature.vocabulary", "miniature.vocabluary"),
    ],
)
def test_a_misspelt_key_is_answered_with_the_right_one(miniature, right, wrong):
    change(miniature, wrong, 5)
    key, last = right.rpartition(".")[::2]
    message = refused(miniature)
    assert f"unknown key {wrong.rpartition('.')[2]!r}; did you mean {last!r}?" in message
    assert (f"key {key}:" in message) == bool(key)


@pytest.mark.parametrize("key", ["study", "judging", "judging.guards", "dataset.translation.backend", "figures.dpi"])
def test_a_missing_key_is_named(miniature, key):
    change(miniature, key, None)
    *parents, last = key.split(".")
    where = f"my.yaml, key {'.'.join(parents)}" if parents else "my.yaml"
    assert refused(miniature) == f"{where}: the key {last!r} is missing; add it"


@pytest.mark.parametrize("name", ["secrets", "api_key", "token", "password"])
@pytest.mark.parametrize("level", ["", "judging.", "dataset.translation."])
def test_a_secret_in_the_config_is_refused_and_not_repeated(miniature, level, name):
    change(miniature, level + name, "canary-42")
    message = refused(miniature)
    assert f"{name!r} does not belong in a file; set it in the environment" in message
    assert "canary-42" not in message


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("figures.dpi", "high", "resolution of the PNG files"),
        ("figures.dpi", 10, "resolution of the PNG files"),
        ("study", "My Study", "name of the study in lower case"),
        ("statistics.confidence", 95, "level of all intervals"),
        ("statistics.resamples", 1.5, "bootstrap resamples"),
        ("generation.temperature", -1, "0 is greedy"),
        ("generation.top_p", 0, "nucleus"),
        ("dataset.source", "web", "build (from seeds) or hub"),
        ("dataset.revision", "main", "40-hex commit of the released dataset"),
        ("dataset.revision", "A" * 40, "40-hex commit of the released dataset"),
        ("language_identification.revision", "main", "40-hex commit of the fastText model"),
        ("dataset.policies.chosen_safe", "most", "guards that must call the chosen answer safe"),
        ("judging.guards", ["guard_a"], "the two guards"),
        ("judging.guards", "guard_a", "the two guards"),
        ("judging.guards", ["guard_a", "guard_a"], "the two guards"),
        ("dataset.prompt_judges", ["guard_a", "guard_b", "guard_a"], "models that label the prompts"),
        ("dataset.generators.pilot", ["generator", "generator"], "models compared in the pilot"),
        ("judging.adjudicator_sees", "prompt", "what the adjudicator is shown"),
        ("languages.low_resource", "pl", "a list of language codes"),
        ("languages.low_resource", [], "a list of language codes"),
        ("warm_workers", "yes", "whether local jobs fork"),
        ("outcomes.repetition", 0, "share of repeated word trigrams"),
        (
            "dataset.translation.server_url",
            "api.deepl.com",
            "another DeepL server than the client's default, with its scheme",
        ),
        ("dataset.translation.server_url", "localhost:3000", "another DeepL server"),
        ("dataset.translation.server_url", "https://", "another DeepL server"),
        ("dataset.translation.target_codes.en", "EN", "a target code of DeepL such as EN-US"),
    ],
)
def test_a_wrong_type_or_value_is_named_with_what_was_expected(miniature, key, value, expected):
    change(miniature, key, value)
    message = refused(miniature)
    assert message.startswith(f"my.yaml, key {key}: {value!r} does not fit")
    assert f"expected: {expected}" in message


def test_a_language_without_a_row_in_the_language_table_is_named(miniature):
    miniature["languages"]["low_resource"].append("xx")
    assert refused(miniature) == ("resources/languages.tsv has no language 'xx'; add a row for it or correct the code")


def test_a_language_in_two_groups_is_named(miniature):
    miniature["languages"]["low_resource"].append("en")
    message = refused(miniature)
    assert message == "my.yaml: 'en' occurs twice among the languages; remove or rename one"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("dataset.generators.main", "generater"),
        ("dataset.generators.pilot", ["generator", "generater"]),
        ("dataset.prompt_judges", ["guard_a", "guard_c"]),
        ("dataset.chosen", "largest"),
        ("dataset.rejected", "largest"),
        ("judging.guards", ["guard_a", "guard_c"]),
        ("judging.adjudicator", "adjudicater"),
        ("fluency.judge", "fluency_juge"),
    ],
)
def test_a_model_that_the_sheet_does_not_know_is_named(miniature, key, value):
    change(miniature, key, value)
    wrong = value if isinstance(value, str) else value[-1]
    message = refused(miniature)
    assert message.startswith(
        f"my.yaml: key {key} names {wrong!r}, which is not a model of config/miniature/models.tsv"
    )
    assert "did you mean" in message or "known are" in message


def test_knowledge_may_be_tested_in_languages_outside_the_study(miniature, paper):
    miniature["language_sets"]["global_mmlu"] = ["en", "ko"]
    assert Study(miniature).benchmarks["global_mmlu"].languages == ("en", "ko")
    assert "ko" in Study(paper).benchmarks["global_mmlu"].languages and "ko" not in Study(paper).languages
    miniature["language_sets"]["global_mmlu"] = ["en", "xx"]
    assert "'xx' is neither a language of the study nor" in refused(miniature)


@pytest.mark.parametrize("name", ["polyglotox", "high_resource"])
def test_a_language_set_holds_only_languages_of_the_study(miniature, name):
    miniature["language_sets"][name] = ["en", "sv"]
    message = refused(miniature)
    assert "'sv'" in message and name in message


def test_the_seed_language_is_a_known_language(miniature):
    change(miniature, "dataset.seed_language", "xx")
    assert "'xx'" in refused(miniature)


def test_a_neighbour_language_is_a_known_language(miniature):
    change(miniature, "language_identification.neighbours", ["hr", "xx"])
    assert "'xx'" in refused(miniature)


# What is wrong: the sheets


@pytest.mark.parametrize("roles", ["base,generator", "generator,base", "generator, base, fluency_judge"])
def test_an_evaluated_role_may_stand_anywhere(miniature, tmp_path, roles):
    plain = Study(miniature)
    Sheet(miniature, "models", tmp_path).set(2, "roles", roles)
    study = Study(miniature)
    assert study.evaluated == plain.evaluated
    assert study.models_on("rtp_lx") == plain.models_on("rtp_lx")


@pytest.mark.parametrize(
    ("line", "column", "value", "said"),
    [
        (2, "roles", "base,open", "line 2, key roles: 'base,open' does not fit"),
        (4, "roles", "instruct, generator, base", "line 4, key roles: 'instruct, generator, base' does not fit"),
        (2, "base", "", "line 2, key base: '' does not fit"),
        (2, "base", "large", "model 'small', column base names 'large', which is not the base itself"),
        (4, "base", "", "line 4, key base: '' does not fit"),
        (4, "base", "guard_a", "model 'small_instruct', column base names 'guard_a', which is not a model with role"),
        (4, "base", "large", "'large' occurs twice among the bases of instruct models; remove or rename one"),
        (6, "base", "small", "line 6, key base: 'small' does not fit"),
        (8, "base", "small", "expected: nothing, because only base and instruct models belong to a base"),
    ],
)
def test_a_base_names_itself_and_has_one_twin_and_nothing_else_belongs_to_a_base(
    miniature, tmp_path, line, column, value, said
):
    rows = Sheet(miniature, "models", tmp_path)
    rows.set(line, column, value)
    message = refused(miniature)
    assert message.startswith(str(rows.path)) and said in message


@pytest.mark.parametrize(("column", "value"), [("languages", "en"), ("method", "sft"), ("recipe", "dpo_one_language")])
def test_rows_that_are_averaged_as_seeds_differ_in_nothing_else(miniature, tmp_path, column, value):
    variants = Sheet(miniature, "variants", tmp_path)
    variants.rows.append(list(variants.rows[0]))
    new = len(variants.rows) + 1
    variants.set(new, "seed", "2")
    variants.set(new, "note", "again")
    assert "small-balanced-s2" in Study(miniature).variants
    variants.set(new, column, value)
    if column == "method":
        variants.set(new, "recipe", "sft")
    assert refused(miniature) == (
        f"{variants.path}: 'small-balanced-s1' and 'small-balanced-s2' differ in {column}, and tables would average "
        "them as seeds of one run; rename the variant of one"
    )


@pytest.mark.parametrize("name", ["abliterated", "all", "base", "instruct", "open"])
def test_a_variant_is_not_named_like_what_is_no_variant(miniature, tmp_path, name):
    variants = Sheet(miniature, "variants", tmp_path)
    variants.set(23, "variant", name)
    assert refused(miniature).startswith(f"{variants.path}, line 23, key variant: {name!r} does not fit")
    variants.set(23, "variant", "open_a")
    assert refused(miniature) == (
        f"{variants.path}: 'open_a' occurs twice among the variants and models; remove or rename one"
    )


@pytest.mark.parametrize("name", ["models", "variants", "benchmarks"])
def test_a_missing_sheet_is_named(config, name):
    config["sheets"][name] = "nowhere/sheet.tsv"
    assert refused(config) == "the sheet nowhere/sheet.tsv does not exist; create it or correct the config's key sheets"


@pytest.mark.parametrize("name", ["models", "variants", "benchmarks"])
def test_a_duplicate_row_is_named(config, sheet, name):
    rows = sheet(name)
    rows.rows.append(list(rows.rows[0]))
    rows.write()
    message = refused(config)
    assert message.startswith(f"{rows.path}: ")
    assert "occurs twice among the rows; remove or rename one" in message


def test_the_same_variant_may_be_trained_with_two_seeds_but_not_twice_with_one(miniature, tmp_path):
    variants = Sheet(miniature, "variants", tmp_path)
    variants.rows.append(list(variants.rows[0]))
    variants.write()
    assert "'small-balanced-s1' occurs twice" in refused(miniature)
    variants.set(len(variants.rows) + 1, "seed", "2")
    assert "small-balanced-s2" in Study(miniature).variants


@pytest.mark.parametrize("name", ["models", "variants", "benchmarks"])
def test_a_missing_column_is_named(config, sheet, name):
    rows = sheet(name)
    at = rows.header.index("note")
    rows.header.pop(at)
    for row in rows.rows:
        row.pop(at)
    rows.write()
    assert refused(config) == f"{rows.path} has no column 'note'; add it to the header line"


@pytest.mark.parametrize("name", ["models", "variants", "benchmarks"])
def test_an_unknown_column_is_named(config, sheet, name):
    rows = sheet(name)
    rows.header.append("notes")
    for row in rows.rows:
        row.append("")
    rows.write()
    assert refused(config) == f"{rows.path} has an unknown column 'notes'; did you mean 'note'?"


def test_a_column_that_is_there_twice_is_named(config, sheet):
    rows = sheet("models")
    rows.header.append("note")
    rows.write()
    assert refused(config) == f"{rows.path}: 'note' occurs twice among the columns; remove or rename one"


@pytest.mark.parametrize("name", ["models", "variants", "benchmarks"])
def test_a_ragged_row_is_named_by_its_line(config, sheet, name):
    rows = sheet(name)
    rows.rows[1].pop()
    rows.write()
    width = len(rows.header)
    assert refused(config) == (
        f"{rows.path}, line 3 has {width - 1} cells where the header has {width}; separate the cells with single tabs"
    )


def test_a_blank_line_or_cells_with_blanks_around_them_are_not_mysterious(miniature, tmp_path):
    variants = Sheet(miniature, "variants", tmp_path)
    variants.set(2, "base", " small ")
    assert Study(miniature).variants["small-balanced-s1"].base == "small"
    (tmp_path / "empty.tsv").touch()
    with pytest.raises(UserError, match=r"empty\.tsv has no column 'a'"):
        read_tsv(tmp_path / "empty.tsv", ["a"])


def test_a_cell_in_quotation_marks_is_read_and_one_that_only_begins_with_one_is_named(tmp_path):
    (tmp_path / "a.tsv").write_text('a\tb\n"say ""hi""\tand\nbye"\tsay "hi"\n')
    assert read_tsv(tmp_path / "a.tsv", ["a", "b"]) == [{"a": 'say "hi"\tand\nbye', "b": 'say "hi"'}]
    for wrong in ('"hi" they said\tx\n', '"hi\tx\n'):
        (tmp_path / "a.tsv").write_text(f"a\tb\n{wrong}")
        with pytest.raises(UserError) as error:
            read_tsv(tmp_path / "a.tsv", ["a", "b"])
        assert f"{tmp_path / 'a.tsv'}, line 2: a cell begins with a quotation mark and does not end" in str(error.value)


@pytest.mark.parametrize(
    ("name", "column", "value", "expected"),
    [
        ("models", "revision", "main", "a commit of 40 hex digits"),
        ("models", "revision", "0e9e39f249a16976918f6564b8830bc894c8965", "a commit of 40 hex digits"),
        ("models", "revision", "", "a commit of 40 hex digits"),
        ("models", "repository", "", "a hub id, a local folder"),
        ("models", "roles", "base,king", "roles joined by commas"),
        ("models", "format", "markdown", "how it is addressed and read"),
        ("models", "backend", "tgi", "transformers, vllm or openai"),
        ("models", "dtype", "int4", "float32, bfloat16, float16 or auto"),
        ("models", "gpus", "two", "GPUs per job, a whole number"),
        ("models", "gpus", "-1", "GPUs per job, a whole number"),
        ("models", "gpus", "", "GPUs per job, a whole number"),
        ("models", "training_gpus", "some", "GPUs per training of a base, a whole number"),
        ("models", "model", "Big Model", "an id in lower case"),
        ("variants", "method", "ppo", "dpo, sft, orpo or simpo"),
        ("variants", "seed", "1.5", "seed of the training, a whole number"),
        ("variants", "variant", "Balanced", "a name in lower case"),
        ("variants", "recipe", "", "a file in the recipes folder"),
        ("benchmarks", "kind", "hard", "harmful, benign, knowledge or fluency"),
        ("benchmarks", "source", "hub", "the loader: refuseu, rtp_lx"),
        ("benchmarks", "mode", "talk", "chat (as a user turn)"),
        ("benchmarks", "revision", "v1.5", "a commit of 40 hex digits"),
        ("benchmarks", "max_new_tokens", "many", "longest answer in tokens"),
        ("benchmarks", "models", "", "roles, variants and models"),
    ],
)
def test_a_wrong_cell_is_named_by_file_line_and_column(config, sheet, name, column, value, expected):
    rows = sheet(name)
    rows.set(3, column, value)
    message = refused(config)
    assert message.startswith(f"{rows.path}, line 3, key {column}: ")
    assert f"expected: {expected}" in message


@pytest.mark.parametrize("column", ["base", "languages", "recipe"])
def test_a_dangling_reference_of_a_variant_is_named(config, sheet, column):
    rows = sheet("variants")
    rows.set(3, column, "unheard_of")
    message = refused(config)
    assert "unheard_of" in message
    if column == "base":
        assert message.startswith(f"{rows.path}: variant 'high_resource', column base names 'unheard_of'")
        assert "a model with role base in" in message
    elif column == "languages":
        assert message.startswith(f"{rows.path}, line 3, column languages: 'unheard_of' is neither a language")
    else:
        assert "unheard_of.yaml does not exist; create it or correct the variant's column recipe" in message


def test_a_variant_is_not_trained_from_a_guard(miniature, tmp_path):
    Sheet(miniature, "variants", tmp_path).set(2, "base", "guard_a")
    assert "'guard_a', which is not a model with role base" in refused(miniature)


@pytest.mark.parametrize(
    ("wrong", "cure"),
    [("balnced", "did you mean 'balanced'?"), ("small-balanced-s9", "did you mean"), ("guard_a", "known are")],
)
def test_a_benchmark_for_an_unknown_model_is_named(miniature, tmp_path, wrong, cure):
    rows = Sheet(miniature, "benchmarks", tmp_path)
    rows.set(4, "models", f"base,{wrong}")
    message = refused(miniature)
    assert message.startswith(f"{rows.path}: benchmark 'polyglotox', column models names {wrong!r}")
    assert cure in message


@pytest.mark.parametrize(
    ("line", "changed", "key", "expected"),
    [
        (2, {"revision": "local"}, "revision", "'dataset', because source refuseu"),
        (2, {"revision": "a" * 40}, "revision", "'dataset', because source refuseu"),
        (3, {"revision": "dataset"}, "revision", "a commit of 40 hex digits or 'local' for a folder"),
        (3, {"repository": ""}, "repository", "a hub id or a local folder"),
        (3, {"kind": "knowledge", "mode": "multiple_choice"}, "kind", "harmful, benign or fluency; knowledge is for"),
        (5, {"kind": "knowledge"}, "kind", "harmful, benign or fluency; knowledge is for source global_mmlu"),
        (
            7,
            {"kind": "harmful", "mode": "chat", "max_new_tokens": "8"},
            "kind",
            "knowledge, because source global_mmlu",
        ),
        (7, {"source": "questions"}, "kind", "harmful, benign or fluency; knowledge is for source global_mmlu"),
        (7, {"mode": "chat"}, "mode", "multiple_choice, because kind knowledge"),
        (3, {"mode": "multiple_choice"}, "mode", "chat (as a user turn) or continuation"),
        (3, {"max_new_tokens": "0"}, "max_new_tokens", "longest answer in tokens, a whole number from 1"),
    ],
)
def test_columns_of_a_benchmark_that_do_not_fit_each_other_are_named(config, sheet, line, changed, key, expected):
    rows = sheet("benchmarks")
    for column, value in changed.items():
        rows.set(line, column, value)
    message = refused(config)
    assert message.startswith(f"{rows.path}, line {line}, key {key}: ") and f"expected: {expected}" in message


@pytest.mark.parametrize(
    ("line", "changed"),
    [
        (3, {"mode": "continuation"}),
        (3, {"repository": "org/rtp-lx", "revision": "a" * 40}),
        (5, {"kind": "harmful"}),
        (7, {"max_new_tokens": "5"}),
    ],
)
def test_columns_of_a_benchmark_that_fit_each_other_are_taken(config, sheet, line, changed):
    rows = sheet("benchmarks")
    for column, value in changed.items():
        rows.set(line, column, value)
    assert len(Study(config).benchmarks) == len(rows.rows)


def behind_an_api(rows, line):
    for column, value in {"backend": "openai", "repository": "served", "revision": "api"}.items():
        rows.set(line, column, value)


@pytest.mark.parametrize("backend", ["transformers", "vllm"])
def test_weights_that_are_loaded_here_have_a_revision(config, sheet, backend):
    rows = sheet("models")
    rows.set(3, "backend", backend)
    rows.set(3, "revision", "api")
    assert refused(config).startswith(f"{rows.path}, line 3, key revision: 'api' does not fit")


@pytest.mark.parametrize("revision", ["api", "local", "a" * 40])
def test_a_server_may_say_which_weights_it_has(miniature, tmp_path, revision):
    rows = Sheet(miniature, "models", tmp_path)
    behind_an_api(rows, 8)
    rows.set(8, "revision", revision)
    assert Study(miniature).models["generator"].revision == revision


def test_what_is_behind_an_api_is_not_trained(miniature, tmp_path):
    behind_an_api(Sheet(miniature, "models", tmp_path), 3)
    assert refused(miniature) == (
        f"config/miniature/variants.tsv: variant 'balanced', column base names 'large', whose backend in {tmp_path}/"
        "models.tsv is 'openai', and what is behind an API cannot be trained; choose backend transformers or vllm, or "
        "take the variant out"
    )
    variants = Sheet(miniature, "variants", tmp_path)
    variants.rows = [row for row in variants.rows if row[1] != "large"]
    variants.write()
    assert "column models takes in 'large', whose backend" in refused(miniature)
    Sheet(miniature, "benchmarks", tmp_path).set(7, "models", "instruct,balanced,small")
    assert "large" in Study(miniature).models_on("rtp_lx")


def test_what_is_behind_an_api_gives_no_log_likelihoods(miniature, tmp_path):
    behind_an_api(Sheet(miniature, "models", tmp_path), 6)
    Study(miniature)  # open models are not asked for their knowledge
    benchmarks = Sheet(miniature, "benchmarks", tmp_path)
    benchmarks.set(7, "models", "base,open")
    assert refused(miniature) == (
        f"{benchmarks.path}: benchmark 'global_mmlu', column models takes in 'open_a', whose backend in {tmp_path}/"
        "models.tsv is 'openai', and APIs give no log-likelihoods of options (kind knowledge); choose another backend "
        "or take the model out"
    )


def test_a_language_for_evaluation_that_no_benchmark_has_is_named(config, sheet):
    config["languages"]["nordic"] = config["evaluation_only"] = ["sv"]
    rows = sheet("benchmarks")
    for number in range(2, len(rows.rows) + 2):
        rows.set(number, "languages", "en")
    assert refused(config).startswith(
        f"my.yaml: key evaluation_only names 'sv', which no benchmark of {rows.path} has; "
    )
    rows.set(5, "languages", "en,sv")
    Study(config, "my.yaml")


def test_a_benchmark_in_an_unknown_language_is_named(config, sheet):
    rows = sheet("benchmarks")
    rows.set(2, "languages", "en,sv")
    message = refused(config)
    assert message.startswith(f"{rows.path}, line 2, column languages: 'sv' is neither a language of the study")


def test_a_model_that_belongs_to_no_base_is_named(config, sheet):
    rows = sheet("models")
    rows.set(4, "base", "smal")
    message = refused(config)
    assert message.startswith(f"{rows.path}: model ") and "column base names 'smal'" in message


def test_a_consistency_method_needs_a_recipe_with_its_section(miniature, tmp_path):
    Sheet(miniature, "variants", tmp_path).set(2, "method", "dpo+mlc")
    assert refused(miniature) == (
        "config/miniature/recipes/dpo.yaml has no section mlc, which the method dpo+mlc of variant 'balanced' needs; "
        "add it or choose another recipe"
    )


def test_a_recipe_without_an_adapter_trains_all_weights(miniature, recipes):
    recipes("dpo", "lora", None)
    assert {"small-balanced-s1", "large-balanced-s1", "small-english_only_mlc-s1"} < {*Study(miniature).trained_fully}
    assert "small-sft-s1" not in Study(miniature).trained_fully


def test_held_out_pairs_are_scored_where_there_are_any(miniature, paper, recipes):
    file = recipes("dpo", "trainer", {"eval_strategy": "steps", "eval_steps": 5})
    Study(miniature)
    miniature["dataset"] |= {key: paper["dataset"][key] for key in ("repository", "revision")} | {"source": "hub"}
    assert refused(miniature).startswith(f"{file}, key trainer.eval_strategy: the released dataset has no held-out pai")


@pytest.mark.parametrize("name", ["dpo_8b_lr1e5", "dpo_8b_full", "mlc_8b_full", "sft_8b_full"])
def test_the_recipes_beside_the_papers_fit_their_methods(paper, tmp_path, name):
    variants = Sheet(paper, "variants", tmp_path)
    variants.rows = [row for row in variants.rows if row[:2] != variants.rows[0][:2] or row is variants.rows[0]]
    variants.set(2, "method", {"dpo": "dpo", "mlc": "dpo+mlc", "sft": "sft"}[name.partition("_")[0]])
    variants.set(2, "recipe", name)
    paper["audit"]["models"] = []
    study = Study(paper, "my.yaml")
    assert study.trained_fully == (["8b-balanced-s1"] if name.endswith("full") else [])


def test_nothing_is_chosen_by_what_is_held_out(miniature, recipes):
    recipes("dpo", "trainer", {"load_best_model_at_end": True})
    assert "key trainer.load_best_model_at_end is set by the workflow" in refused(miniature)


# What is wrong: the recipes


@pytest.fixture
def recipes(miniature, tmp_path):
    """A copy of the recipes' folder; a function changes one recipe."""
    folder = tmp_path / "recipes"
    folder.mkdir()
    for file in (ROOT / "config/miniature/recipes").glob("*.yaml"):
        (folder / file.name).write_text(file.read_text())
    miniature["sheets"]["recipes"] = str(folder)

    def edit(name, key, value):
        recipe = yaml.safe_load((folder / f"{name}.yaml").read_text())
        change(recipe, key, value)
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(recipe))
        return folder / f"{name}.yaml"

    return edit


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("lerning_rate", 1, "unknown key 'lerning_rate'"),
        ("mlc.lamda", 1, "unknown key 'lamda'; did you mean 'lambda'?"),
        ("mlc.temperature", 0, "0 does not fit"),
        ("mlc.normalise", "max", "'max' does not fit"),
        ("mlc.every", 0, "applied every so many steps"),
    ],
)
def test_a_mistake_in_a_recipe_is_named(miniature, recipes, key, value, said):
    file = recipes("mlc", key, value)
    message = refused(miniature)
    assert message.startswith(str(file)) and said in message


def test_a_key_that_does_not_fit_the_objective_is_named_before_anything_runs(miniature, tmp_path, recipes):
    Sheet(miniature, "variants", tmp_path).set(2, "method", "sft")
    folder = miniature["sheets"]["recipes"]
    assert refused(miniature) == f"{folder}/dpo.yaml: key trainer.beta is no field of SFTConfig (sft); remove it"
    recipes("dpo", "trainer", {"learning_rate": "1e-4"})
    assert refused(miniature) == (
        f"{folder}/dpo.yaml: key trainer.learning_rate is the text '1e-4'; write a number, such as 1.0e-6"
    )


def test_training_on_so_many_gpus_needs_a_config_for_them(paper, tmp_path):
    Sheet(paper, "models", tmp_path).set(3, "training_gpus", "3")
    assert refused(paper) == (
        f"{tmp_path}/models.tsv: model '70b' is trained on 3 GPUs, and so many need config/accelerate/3.yaml, "
        "which does not exist; write it like its neighbours, or change the column"
    )


@pytest.mark.parametrize("mlc", ["", "+mlc"])
@pytest.mark.parametrize("objective", ["dpo", "sft", "orpo", "simpo"])
def test_the_bundled_recipes_fit_their_methods(config, objective, mlc, tmp_path):
    """The consistency recipes are DPO's; another objective takes its own recipe and their section."""
    where = ROOT / config["sheets"]["recipes"]
    names = {"dpo": "mlc_8b", "sft": "sft_8b", "orpo": "orpo_8b", "simpo": "simpo_8b"}
    names = names if config["study"] == "paper" else {key: name.removesuffix("_8b") for key, name in names.items()}
    recipe = load_recipe(where / f"{names[objective]}.yaml")
    section = load_recipe(where / f"{names['dpo']}.yaml")["mlc"]
    (tmp_path / "recipes").mkdir()
    variants = Sheet(config, "variants", tmp_path)
    for name in {row[variants.header.index("recipe")] for row in variants.rows}:
        (tmp_path / "recipes" / f"{name}.yaml").write_text(yaml.safe_dump(load_recipe(where / f"{name}.yaml")))
    (tmp_path / "recipes/other.yaml").write_text(yaml.safe_dump(recipe | {"mlc": section}))
    config["sheets"]["recipes"] = str(tmp_path / "recipes")
    variants.rows = [row for row in variants.rows if row[:2] != variants.rows[0][:2] or row is variants.rows[0]]
    variants.set(2, "method", objective + mlc)
    variants.set(2, "recipe", "other")
    config["audit"]["models"] = []
    variant = next(iter(Study(config, "my.yaml").variants.values()))
    assert (variant.objective, variant.consistent, variant.recipe) == (objective, bool(mlc), "other")
    assert variant.model == f"{variant.base}-balanced-s1"


def test_consistency_in_an_unknown_language_is_named(miniature, recipes):
    file = recipes("mlc", "mlc.languages", "en,sv")
    assert refused(miniature).startswith(f"{file}, mlc: 'sv' is neither a language of the study nor a language set")


def test_an_included_recipe_that_is_not_there_is_named(miniature, recipes):
    file = recipes("mlc", "include", "nothing.yaml")
    assert refused(miniature) == (
        f"{file.with_name('nothing.yaml')} does not exist; create it or correct the key include of {file}"
    )


@pytest.mark.parametrize("wrong", ["../dpo.yaml", "dpo", ""])
def test_an_included_recipe_is_a_file_of_the_folder(miniature, recipes, wrong):
    file = recipes("mlc", "include", wrong)
    assert refused(miniature).startswith(f"{file}, key include: {wrong!r} does not fit")


def test_recipes_that_include_each_other_are_named(miniature, recipes):
    recipes("dpo", "include", "mlc.yaml")
    file = recipes("mlc", "include", "dpo_one_language.yaml")
    folder = file.parent
    assert refused(miniature) == (
        f"{folder}/dpo_one_language.yaml, key include: recipes include each other in a circle, dpo.yaml → mlc.yaml → "
        "dpo_one_language.yaml → dpo.yaml; take one include out"
    )
    file = recipes("dpo", "include", "dpo.yaml")
    assert "in a circle, dpo.yaml → dpo.yaml; take" in refused(miniature)


def test_a_recipe_that_is_no_yaml_is_named(miniature, recipes):
    file = recipes("mlc", "mlc.every", 2)
    file.write_text("trainer: {beta: 0.1\nlora: [\n")
    message = refused(miniature)
    assert message.startswith(f"{file} is no YAML (") and "line 2" in message and message.endswith("; correct it")


@pytest.mark.parametrize("key", load_schema("recipe")["properties"]["mlc"]["properties"])
def test_a_key_that_the_consistency_loss_lacks_is_named(miniature, recipes, key):
    file = recipes("mlc", f"mlc.{key}", None)
    assert refused(miniature) == (f"{file}, key mlc: the key {key!r} is missing, here and in what it includes; add it")
    whole = load_recipe(ROOT / "config/miniature/recipes/mlc.yaml")
    file.with_name("rest.yaml").write_text(yaml.safe_dump(whole | {"mlc": {key: whole["mlc"][key]}}))
    recipes("mlc", "include", "rest.yaml")
    assert Study(miniature).recipes["mlc"] == whole


@pytest.mark.parametrize(("key", "value"), [("max_length", 128), ("bf16", True), ("ld_alpha", 0.5)])
def test_two_recipes_that_one_reference_cannot_serve_are_named(miniature, recipes, key, value):
    recipes("mlc", "trainer", {key: value})
    assert refused(miniature) == (
        f"{miniature['sheets']['recipes']}: the recipes dpo and mlc of base 'small' differ in trainer.{key}, on which "
        "the shared reference log-probabilities depend; make them equal"
    )


# What is wrong: the claims


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- {id: a, sentence: b, source: c, checks: []}", ", key 0.checks: [] does not fit"),
        ("- {id: a\n- b: [", " is no YAML ("),
        ("", ": None does not fit"),
        (None, " does not exist; restore it"),
    ],
)
def test_a_mistake_in_the_claims_is_named_before_anything_runs(miniature, monkeypatch, tmp_path, text, said):
    file = tmp_path / "claims.yaml"
    if text is not None:
        file.write_text(text)
    monkeypatch.setattr("refuseu.study.study.CLAIMS", str(file))
    assert refused(miniature).startswith(f"{file}{said}")


# What is wrong: servers and engines


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("api.batch", ["nobody"], "key api.batch names 'nobody', which is not a model with backend openai in"),
        ("api.batch", ["guard_a"], "key api.batch names 'guard_a', which is not a model with backend openai in"),
        ("api.concurrent", 0, "key api.concurrent: 0 does not fit"),
        ("api.timeout", 0, "key api.timeout: 0 does not fit"),
        ("generation.adapters", "both", "expected: how backend vllm gets an adapter"),
    ],
)
def test_a_way_of_asking_that_is_none_is_named(miniature, key, value, said):
    change(miniature, key, value)
    assert said in refused(miniature)


def test_a_model_behind_an_api_may_be_asked_in_batches(paper):
    change(paper, "api.batch", ["gpt_4o_mini"])
    Study(paper)


# What is wrong: the judges


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("judging.held_out", ["nobody"], "key judging.held_out names 'nobody', which is not a model of"),
        (
            "judging.held_out",
            ["guard_a"],
            "key judging.held_out names 'guard_a', which builds the data (judging.guards)",
        ),
        ("judging.held_out", ["fluency_judge"], "names 'fluency_judge', whose format in"),
        ("judging.held_out", ["adjudicator", "adjudicator"], "does not fit"),
        ("judging.held_out", "adjudicator", "does not fit"),
        ("judging.guards", ["guard_a", "open_a"], "is 'chat'; choose a model with format llama_guard_3 or polyguard"),
        ("judging.adjudicator", "guard_b", "is 'polyguard'; choose a model with format classify"),
        ("fluency.judge", "adjudicator", "is 'classify'; choose a model with format rating"),
        ("dataset.prompt_judges", ["guard_a", "large"], "key dataset.prompt_judges names 'large', whose format in"),
    ],
)
def test_a_judge_that_cannot_judge_is_named(miniature, key, value, said):
    change(miniature, key, value)
    assert said in refused(miniature)


def test_the_adjudicator_may_be_a_held_out_judge_because_it_builds_no_data(miniature):
    change(miniature, "judging.held_out", ["adjudicator"])
    Study(miniature)


def test_the_papers_held_out_judges_are_made_for_all_its_languages(paper):
    study = Study(paper)
    formats = [study.models[name].format for name in paper["judging"]["held_out"]]
    assert formats and not any(not_covered(format, study.languages) for format in formats)


# The study reads its config and changes nothing in it


def test_the_config_is_left_as_it_was(config):
    before = deepcopy(config)
    Study(config)
    assert config == before


@pytest.mark.parametrize("name", ["models", "variants", "benchmarks"])
def test_the_shipped_sheets_have_the_columns_of_their_schema_in_its_order_but_those_that_may_be_missing(config, name):
    schema = load_schema(name)
    with open(config["sheets"][name], encoding="utf-8") as stream:
        found = stream.readline().rstrip("\n").split("\t")
    assert found == [column for column in schema["properties"] if column in found]
    missing = set(schema["properties"]) - set(found)
    assert all("may be missing" in schema["properties"][column]["description"] for column in missing)


@pytest.mark.parametrize(
    ("step", "wildcards", "model"),
    [
        ("adjudicate", {"model": "8b", "benchmark": "rtp_lx"}, "gpt_4o_mini"),
        ("judge_fluency", {"model": "8b", "benchmark": "fluency"}, "gpt_oss_120b"),
        ("answer_prompts", {"side": "chosen"}, "70b_instruct"),
        ("label_answers", {"side": "chosen", "judge": "polyguard"}, "polyguard"),
        ("generate_prompts", {"phase": "main", "generator": "mistral_24b"}, "mistral_24b"),
        ("generate", {"model": "8b-balanced-s1", "benchmark": "rtp_lx"}, "8b"),
        ("reference", {"base": "70b"}, "70b"),
    ],
)
def test_every_job_knows_whom_it_asks(paper, step, wildcards, model):
    assert Study(paper).asked(step, wildcards).model == model
