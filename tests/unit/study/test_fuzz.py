"""Random edits of a study: valid ones are taken and change what they say, invalid ones are one clear sentence."""

import copy
import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from snakemake.utils import update_config

from refuseu.artifacts.declared import NAMED
from refuseu.errors import UserError
from refuseu.schemas import load_schema
from refuseu.study.selection import Selection
from refuseu.study.study import Study
from support.helpers import ROOT, read_yaml

COMMON = {"derandomize": True, "suppress_health_check": list(HealthCheck)}
VALID, INVALID = settings(max_examples=70, **COMMON), settings(max_examples=100, **COMMON)  # 3 and 2 tests
MERGED = read_yaml("config/config.yaml")
update_config(MERGED, read_yaml("config/miniature/config.yaml"))
SHEETS = {
    name: [line.split("\t") for line in (ROOT / MERGED["sheets"][name]).read_text(encoding="utf-8").splitlines()]
    for name in ("models", "variants", "benchmarks")
}
SCHEMA = load_schema("config")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch):
    monkeypatch.chdir(ROOT)


def read(folder, config=MERGED, **sheets):
    """The study of a config, with these rows in the place of its sheets."""
    config = copy.deepcopy(config)
    for name, rows in sheets.items():
        out = io.StringIO()
        csv.writer(out, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_MINIMAL).writerows(rows)
        (folder / f"{name}.tsv").write_text(out.getvalue(), encoding="utf-8")
        config["sheets"][name] = str(folder / f"{name}.tsv")
    return Study(config, "my.yaml")


def part(schema, config, path=()):
    """Every key of a config with its schema: (path, schema, value)."""
    if "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    if path:
        yield path, schema, config
    if isinstance(config, dict):
        for key, value in config.items():
            inner = schema.get("properties", {}).get(key, schema.get("additionalProperties"))
            if isinstance(inner, dict):
                yield from part(inner, value, (*path, key))


KEYS = list(part(SCHEMA, MERGED))
NUMBERS = [
    (path, schema) for path, schema, value in KEYS
    if type(value) in (int, float) and path[0] != "miniature" and "enum" not in schema
]  # fmt: skip


def put(config, path, value):
    config = copy.deepcopy(config)
    inner = config
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return config


def facts(study):
    """What rules read off a study: who is trained, who answers what, what is compared and what is shown."""
    selection = Selection(study)
    return {
        "variants": study.variants,
        "models": study.models,
        "benchmarks": study.benchmarks,
        "recipes": study.recipes,
        "answers": set(study.evaluations("harmful", "benign", "fluency", "knowledge")),
        "compared": {place: tuple(selection.compared(*place)) for place in selection.all_comparisons()},
        "shown": {name: {*selection.evaluations(name), *selection.further(name)} for name in NAMED},
    }


PLAIN = facts(read(None))


def differing(study):
    found = facts(study)
    return {name for name in found if found[name] != PLAIN[name]}


# What is right


@VALID
@given(data=st.data())
def test_a_number_in_the_config_is_taken_and_changes_no_row(folder, data):
    path, schema = data.draw(st.sampled_from(NUMBERS))
    low = schema.get("minimum", schema.get("exclusiveMinimum", 0))
    high = schema.get("maximum", schema.get("exclusiveMaximum", low + 1000))
    whole = "integer" in schema["type"]
    draw = st.integers(int(low), int(high)) if whole else st.floats(low, high, exclude_min=True, exclude_max=True)
    value = data.draw(draw)
    study = read(folder, put(MERGED, path, value))
    assert differing(study) == set()
    inner = study.config
    for key in path:
        inner = inner[key]
    assert inner == value


@VALID
@given(
    base=st.sampled_from(["small", "large"]),
    languages=st.sampled_from(["all", "high_resource", "en", "pl,cs", "lv"]),
    method=st.sampled_from(["dpo", "sft", "orpo", "simpo", "dpo+mlc"]),
    name=st.sampled_from(["balanced", "mine", "single_en", "single_xy", "english_only"]),
    seed=st.integers(5, 99),
    note=st.text("abc ,'", max_size=9),
)
def test_a_new_variant_adds_itself_and_nothing_else(folder, base, languages, method, name, seed, note):
    new = [name, base, languages, method, method.rpartition("+")[2]]
    known = [row[:5] for row in SHEETS["variants"] if row[:2] == new[:2]]  # another seed of it
    row = [*(known or [new])[0], str(seed), note]
    study = read(folder, variants=[*SHEETS["variants"], row])
    found, model = facts(study), f"{base}-{name}-s{seed}"
    assert set(found["variants"]) - set(PLAIN["variants"]) == {model}
    assert {asked for asked, _ in found["answers"] - PLAIN["answers"]} == {model}
    assert PLAIN["answers"] < found["answers"]
    assert all(b == base for (b, _), runs in found["compared"].items() if runs != PLAIN["compared"][b, _])
    for artifact, asked in found["shown"].items():
        assert {m for m, _ in asked - PLAIN["shown"][artifact]} <= {model}
        assert PLAIN["shown"][artifact] <= asked
    single = name.startswith("single_")
    assert (model in {m for m, _ in found["shown"]["table1"]}) == (not single)
    assert (model in {m for m, _ in found["shown"]["fig3"]}) == (not single)
    assert (model in {m for m, _ in found["shown"]["transfer_consistency_figure"]}) == single


@VALID
@given(data=st.data())
def test_an_edited_row_changes_only_its_own_answers(folder, data):
    number = data.draw(st.integers(1, len(SHEETS["benchmarks"]) - 1))
    header, rows = SHEETS["benchmarks"][0], copy.deepcopy(SHEETS["benchmarks"])
    column = data.draw(st.sampled_from(["max_new_tokens", "languages", "models", "note"]))
    values = {
        "max_new_tokens": st.integers(1, 4096).map(str),
        "languages": st.sampled_from(["en", "pl,cs", "global_mmlu", "all"]),
        "models": st.sampled_from(["base", "open", "instruct,balanced", "small", "all"]),
        "note": st.text("abc ,'", max_size=9),
    }
    rows[number][header.index(column)] = data.draw(values[column])
    config = put(MERGED, ("audit", "models"), [])  # or they must be among the models of refuseu_test
    study, name = read(folder, config, benchmarks=rows), rows[number][0]
    found = facts(study)
    assert differing(study) <= (
        {"benchmarks"} if column != "models" else {"benchmarks", "answers", "compared", "shown"}
    )
    assert {b for b in found["benchmarks"] if found["benchmarks"][b] != PLAIN["benchmarks"][b]} <= {name}
    assert {b for _, b in found["answers"] ^ PLAIN["answers"]} <= {name}


# What is wrong


def refused(folder, config=MERGED, **sheets):
    with pytest.raises(UserError) as error:
        read(folder, config, **sheets)
    sentence = str(error.value)
    assert "\n" not in sentence and len(sentence) < 1200
    assert ";" in sentence or "expected:" in sentence  # what to do
    return sentence


FREE = ("miniature", "language_sets", "languages")


@INVALID
@given(data=st.data())
def test_a_wrong_config_is_one_sentence_with_file_and_key(folder, data):
    kind = data.draw(st.sampled_from(["type", "unknown", "missing"]))
    nested = [(p, s) for p, s, v in KEYS if isinstance(v, dict) and "properties" in s and p[0] != "miniature"]
    if kind == "type":
        leaves = [p for p, s, v in KEYS if not isinstance(v, dict) and p[0] != "miniature"]
        path = data.draw(st.sampled_from(leaves))
        sentence = refused(folder, put(MERGED, path, {"hovercraft": 1}))
    elif kind == "unknown":
        path, _ = data.draw(st.sampled_from(nested))
        key = data.draw(st.text("abcdefgh_", min_size=3, max_size=12))
        sentence = refused(folder, put(MERGED, (*path, f"x{key}"), 1))
        assert f"unknown key 'x{key}'" in sentence
    else:
        path, schema = data.draw(st.sampled_from(nested))
        key = data.draw(st.sampled_from(schema["required"]))
        config = copy.deepcopy(MERGED)
        inner = config
        for step in path:
            inner = inner[step]
        del inner[key]
        sentence = refused(folder, config)
        assert f"the key {key!r} is missing" in sentence
    assert sentence.startswith(f"my.yaml, key {'.'.join(path)}")


GARBAGE = st.sampled_from(["§§", "No Such Thing", "hovercraft!", "-1", "a b"])
CHECKED = {
    "models": ["model", "roles", "base", "format", "backend", "revision", "dtype", "gpus"],
    "variants": ["variant", "base", "languages", "method", "recipe", "seed"],
    "benchmarks": ["benchmark", "source", "kind", "languages", "mode", "max_new_tokens", "models", "revision"],
}


@INVALID
@given(data=st.data(), garbage=GARBAGE)
def test_a_wrong_sheet_is_one_sentence_with_its_file(folder, data, garbage):
    name = data.draw(st.sampled_from(list(SHEETS)))
    rows = copy.deepcopy(SHEETS[name])
    number = data.draw(st.integers(1, len(rows) - 1))
    kind = data.draw(st.sampled_from(["cell", "cell", "cell", "short", "twice", "column"]))
    if kind == "cell":
        column = data.draw(st.sampled_from(CHECKED[name]))
        rows[number][rows[0].index(column)] = garbage
    elif kind == "short":
        rows[number].pop()
    elif kind == "twice":
        rows.append(rows[number])
    else:
        rows[0][data.draw(st.integers(0, len(rows[0]) - 1))] = "hovercraft"
    sentence = refused(folder, **{name: rows})
    assert f"{name}.tsv" in sentence or "recipe" in sentence
    if kind == "short":
        assert f"line {number + 1}" in sentence
