"""The pocket study: what a run would do, and that more seeds are the same study with more rows."""

from support.helpers import ROOT

POCKET = ("--profile", "pocket")
MORE = ("config/pocket/config.yaml", "config/pocket/more_seeds.yaml")
FOLDER = ROOT / "config/pocket"


def test_one_model_comes_from_outside_and_everything_else_is_made_here(checkout):
    jobs = checkout.jobs(*POCKET)
    fetched = {rule: n for rule, n in jobs.items() if rule.startswith(("fetch", "download", "prepare"))}
    assert fetched == {"fetch_model": 1, "prepare_model": 1}
    assert jobs["train_model"] == 8
    assert jobs["align"] == len((FOLDER / "variants.tsv").read_text().splitlines()) - 1


def test_more_seeds_are_the_same_rows_and_six_trainings_more(checkout):
    rows = (FOLDER / "variants.tsv").read_text(encoding="utf-8")
    assert (FOLDER / "more_seeds.tsv").read_text(encoding="utf-8").startswith(rows)
    jobs = checkout.jobs(*POCKET, "--configfile", *MORE)
    assert jobs["align"] == len(rows.splitlines()) - 1 + 6
    assert jobs["over_seeds"]


def test_the_cut_of_the_drill_is_the_same_study_with_fewer_rows(checkout):
    jobs = checkout.jobs(*POCKET, "--configfile", "config/pocket/config.yaml", "tests/config/pocket.yaml")
    whole = checkout.jobs(*POCKET)
    assert jobs.keys() <= whole.keys() and {"fetch_model", "prepare_model", "table1", "consistency"} <= jobs.keys()
    assert jobs["train_model"] == whole["train_model"] and jobs["align"] == 3


def test_cells_of_the_sweep_differ_from_the_authors_settings_in_one_key():
    from refuseu.study.sheets import load_recipe

    authors = load_recipe(FOLDER / "recipes/mlc.yaml")
    for name in ("off", "layer12", "lambda4"):
        cell = load_recipe(FOLDER / f"recipes/mlc_{name}.yaml")
        assert {key for key in cell["mlc"] if cell["mlc"][key] != authors["mlc"][key]} in ({"lambda"}, {"layer"})
        assert {key: value for key, value in cell.items() if key != "mlc"} == {
            key: value for key, value in authors.items() if key != "mlc"
        }
