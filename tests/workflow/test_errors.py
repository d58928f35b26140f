"""A mistake of the user is one sentence and exit code 1, before any job."""

import pytest

from support.helpers import ROOT

MINIATURE = "config/miniature/config.yaml"


def refused(checkout, *arguments):
    """The one sentence with which a dry run ends."""
    ended = checkout.snakemake("-n", "--profile", "miniature", *arguments)
    said = ended.stdout + ended.stderr
    assert ended.returncode == 1
    assert "Traceback" not in said
    lines = [line for line in said.splitlines() if line.startswith("refuseu:")]
    assert len(lines) == 1, said
    assert "Job stats" not in said
    return lines[0]


def overlaid(checkout, content):
    return refused(checkout, "--configfile", MINIATURE, checkout.overlay("mistake.yaml", content))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"figures": {"dpl": 300}}, "key figures: unknown key 'dpl'; did you mean 'dpi'?"),
        ({"figures": {"dpi": "high"}}, "key figures.dpi: 'high' does not fit"),
        ({"languages": {"low_resource": ["pl", "xx"]}}, "resources/languages.tsv has no language 'xx'"),
        ({"judging": {"guards": ["guard_a", "guard_x"]}}, "key judging.guards names 'guard_x'; did you mean 'guard_"),
        ({"api_key": "canary"}, "'api_key' does not belong in a file; set it in the environment"),
    ],
)
def test_a_mistake_in_an_overlay_is_one_sentence(checkout, content, said):
    sentence = overlaid(checkout, content)
    assert said.split("; did")[0] in sentence
    assert "canary" not in sentence


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("hovercraft=1", "unknown key 'hovercraft'"),
        ("study=My_Study", "key study: 'My_Study' does not fit"),
    ],
)
def test_a_mistake_on_the_command_line_is_one_sentence(checkout, setting, said):
    assert said in refused(checkout, "--config", setting)


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("variants", "\tsmall\t", "\tsmoll\t", "column base names 'smoll', which is not a model with role base"),
        ("benchmarks", "base,instruct", "bass,instruct", "column models names 'bass'"),
        ("models", "\tlocal\t", "\tmain\t", "key revision: 'main' does not fit"),
    ],
)
def test_a_mistake_in_a_sheet_is_one_sentence_that_names_the_file(checkout, name, old, new, said):
    sheet = (ROOT / f"config/miniature/{name}.tsv").read_text(encoding="utf-8")
    assert old in sheet
    checkout.overlay(f"mine_{name}.tsv", sheet.replace(old, new, 1))
    sentence = overlaid(checkout, {"sheets": {name: f"mine_{name}.tsv"}})
    assert f"mine_{name}.tsv" in sentence and said in sentence


@pytest.mark.parametrize(
    ("path", "old", "new", "said"),
    [
        ("claims.yaml", ", reference: balanced", "", "key 0.checks.0: the key 'reference' is missing"),
        ("claims.yaml", "[asr]", "[asr", "config/claims.yaml is no YAML ("),
        ("miniature/recipes/mlc.yaml", "trainer:", "trainer:\n  max_length: 8", "dpo and mlc of base 'small' differ"),
        ("miniature/recipes/dpo.yaml", "trainer:", "include: mlc.yaml\ntrainer:", "include each other in a circle"),
    ],
)
def test_a_mistake_in_claims_or_a_recipe_is_one_sentence(checkout, path, old, new, said):
    file = checkout.folder / "config" / path
    before = file.read_text(encoding="utf-8")
    try:
        file.write_text(before.replace(old, new, 1), encoding="utf-8")
        assert said in refused(checkout)
    finally:
        file.write_text(before, encoding="utf-8")


def test_an_unknown_target_is_no_traceback(checkout):
    ended = checkout.snakemake("-n", "--profile", "miniature", "table99")
    assert ended.returncode == 1
    assert "Traceback" not in ended.stdout + ended.stderr


def test_without_a_gpu_the_papers_study_stops_with_one_sentence_before_any_job(checkout):
    from refuseu.runner import preflight

    if preflight.has_gpu():
        pytest.skip("this machine has a GPU")
    ended = checkout.snakemake("-c1")
    said = ended.stdout + ended.stderr
    assert ended.returncode == 1
    number, line = [line for line in said.splitlines() if line.startswith("refuseu:")]
    assert "to do in" in number
    assert "GPU(s) and this machine has none" in line and "--profile miniature" in line
    assert "Traceback" not in said
    results = checkout.folder / "results/paper"
    assert not [file for file in results.rglob("*") if file.is_file()]
