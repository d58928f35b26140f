"""Every table and figure of measures, from synthetic ones: seeds, missing bases and missing runs."""

import itertools
import re
import shutil
import subprocess
from pkgutil import resolve_name
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from refuseu.analysis.cells import published_cells, published_summary, scope_order
from refuseu.analysis.comparisons import COLUMNS as COMPARED
from refuseu.analysis.metrics import COLUMNS, write_csv
from refuseu.analysis.published import beside_published, read_published
from refuseu.artifacts import latex_macros, plots, tables
from refuseu.artifacts.declared import NAMED
from refuseu.errors import UserError
from refuseu.study.artifact_rules import ArtifactRules
from support.helpers import ROOT
from support.recompute import Results

GROUPS = {"high_resource": ["en", "de"], "low_resource": ["pl"]}
BENCHMARKS = {"refuseu_test": "harmful", "rtp_lx": "harmful", "polyglotox": "harmful", "benign": "benign",
              "fluency": "fluency", "global_mmlu": "knowledge"}  # fmt: skip
MEASURES = {
    "harmful": ["asr", "language_consistency", "refusal_rate", "compliance_rate", "empty_rate", "degenerate_rate",
                "wrong_language_rate", "true_refusal_share", "unparsed_rate", "disagreement_rate"],
    "benign": ["over_refusal_rate"], "fluency": ["fluency", "correctness", "judged_share"], "knowledge": ["accuracy"],
}  # fmt: skip
DRAWN = ("table1", "table2", "table3", "table16", "rtp_lx", "polyglotox", "outcomes_table", "fig3", "fig4", "fig6",
         "transfer_figure", "transfer_consistency_figure",
         "fig7", "fig8", "fig10", "fig11", "fig12", "asr_by_category", "asr_by_category_figure", "asr_by_style",
         "asr_by_style_figure", "variance")  # fmt: skip
TRAINED = {"balanced": ["en", "de", "pl"], "english_only": ["en"], "single_pl": ["pl"]}
STYLE = {"dpi": 50, "font_size": 7, "width_cm": 16, "column_cm": 7.7}


def study(bases=("8b", "70b"), seeds=(1,), opened=True):
    """A study with these bases, each with all of `TRAINED` at these seeds."""
    models, variants = {}, {}
    for base in bases:
        models[base] = {"base": base, "variant": "abliterated", "method": "base", "seed": ""}
        models[f"{base}_instruct"] = {"base": base, "variant": "instruct", "method": "instruct", "seed": ""}
        for (variant, codes), seed in itertools.product(TRAINED.items(), seeds):
            name = f"{base}-{variant}-s{seed}"
            models[name] = {"base": base, "variant": variant, "method": "dpo", "seed": seed}
            variants[name] = SimpleNamespace(base=base, variant=variant, languages=codes, method="dpo")
    if opened:
        models["open_a"] = {"base": "", "variant": "open_a", "method": "open", "seed": ""}
    models = {model: {"model": model, **labels} for model, labels in models.items()}
    benchmarks = {name: SimpleNamespace(kind=kind) for name, kind in BENCHMARKS.items()}
    return SimpleNamespace(
        config={"languages": GROUPS, "dataset": {}, "judging": {}, "outcomes": {"refusal": "guard"}},
        evaluated=models, variants=variants, benchmarks=benchmarks, models_on=lambda benchmark: list(models),
        states_refusals=lambda kind: "guard" if kind == "harmful" else "",
    )  # fmt: skip


def measured(study, missing=()):
    """Synthetic ``metrics.csv`` and ``comparisons.csv``; runs of `missing` have no rows."""
    rng = np.random.default_rng(1)
    scopes = [scope for _, scope in scope_order(GROUPS)]

    def estimate(where, scope, metric, **part):
        value = rng.uniform()
        numbers = {"value": value, "ci_low": value - 0.1, "ci_high": value + 0.1, "n": 100, "clusters": 9, "df": 8,
                   "var_prompts": 0.01, "var_slots": 0.02}  # fmt: skip
        return {**where, "language": scope, "category": "all", "style": "all", "metric": metric, **part, **numbers}

    metrics, comparisons = [], []
    for model, (benchmark, kind) in itertools.product(study.evaluated.values(), BENCHMARKS.items()):
        where = {**model, "benchmark": benchmark}
        if model["model"] in missing:
            continue
        for metric, scope in itertools.product(MEASURES[kind], scopes):
            if benchmark == "polyglotox" and scope == "pl":
                continue
            metrics.append(estimate(where, scope, metric))
            if model["seed"] != "":
                row = estimate(where | {"reference": "abliterated"}, scope, metric)
                comparisons.append(row | {"p": 0.01, "p_holm": 0.0001})
        for part in ({"category": "S1"}, {"category": "S10"}, {"style": "slang"}, {"style": "word_play"}):
            metrics.append(estimate(where, "all", MEASURES[kind][0], **part))
    return with_all_seeds(metrics, COLUMNS), with_all_seeds(comparisons, [*COMPARED, "p_holm"])


def with_all_seeds(rows, columns):
    """With a row over all seeds, wider than theirs, where there are several."""
    frame = pd.DataFrame(rows, columns=columns)
    keys = ["base", "variant", "reference", "benchmark", "language", "category", "style", "metric"]
    trained = frame[frame["seed"] != ""].groupby([key for key in keys if key in frame])
    whole = [
        {**part.iloc[0], "model": "", "seed": "all", "value": (value := part["value"].mean()), "var_seeds": 0.03,
         "ci_low": value - 0.2, "ci_high": value + 0.3}
        for _, part in trained if len(part) > 1
    ]  # fmt: skip
    return pd.concat([frame, pd.DataFrame(whole, columns=columns)], ignore_index=True)


STUDIES = {
    "one seed": (study(), ()),
    "three seeds, second base only": (study(bases=("70b",), seeds=(1, 2, 3)), ()),
    "a missing run, first base only": (study(bases=("8b",)), ("8b-balanced-s1", "8b")),
    "nothing measured": (study(), tuple(study().evaluated)),
    "no runs": (study(bases=(), opened=False), ()),
}


class Job:
    """Draws tables and figures from what a study measured, each with the inputs and arguments of its rule."""

    def __init__(self, folder, study, missing):
        self.folder, self.rules = folder, ArtifactRules(study)
        metrics, comparisons = measured(study, missing)
        for name, frame in (("metrics/metrics.csv", metrics), ("comparisons/comparisons.csv", comparisons)):
            (folder / name).parent.mkdir(parents=True)
            frame.to_csv(folder / name, index=False)
        seeded = metrics[metrics["seed"] == "all"]
        runs = seeded.assign(run=seeded["base"] + "-" + seeded["variant"])
        rows = [labels | {"run": f"{labels['base']}-{labels['variant']}"} for labels in study.evaluated.values()]
        for rule, column, frame in (
            ("measure", "model", metrics), ("over_seeds", "run", runs), ("compare", "base", comparisons),
        ):  # fmt: skip
            for key, benchmark in itertools.product({row[column] for row in rows}, BENCHMARKS):
                path = folder / rule / key / f"{benchmark}.csv"
                path.parent.mkdir(parents=True, exist_ok=True)
                frame[(frame[column] == key) & (frame["benchmark"] == benchmark)].to_csv(path, index=False)

    def place(self, path):
        return str(path).replace("<study>", str(self.folder)).replace("resources/", f"{ROOT}/resources/")

    def run(self, target):
        artifact = NAMED[target]
        inputs = {
            name: self.place(files) if isinstance(files, str) else list(map(self.place, files))
            for name, files in self.rules.inputs(artifact).items()
        }
        arguments, draw = self.rules.arguments(artifact), resolve_name(artifact.function)
        stem = self.folder / artifact.csv.removesuffix(".csv")
        output = {suffix: f"{stem}.{suffix}" for suffix in ("csv", "md", "tex", "json", "pdf", "svg", "png")}
        if artifact.kind == "table":
            tables.write(draw(**inputs, **arguments), output)
        else:
            with plots.style(**STYLE, columns=artifact.columns) as width:
                figure, drawn = draw(**inputs, **arguments, width=width)
                figure.draw_without_rendering()  # the cut makes its files
                write_csv(output["csv"], drawn)


@pytest.mark.parametrize("name", STUDIES)
def test_every_artifact_is_made_and_recomputes_from_the_measures(name, tmp_path):
    job = Job(tmp_path, *STUDIES[name])
    for target in DRAWN:
        job.run(target)
    compared = Results(tmp_path).check()
    assert (compared > 200) == (name not in ("nothing measured", "no runs"))
    if compared:
        path = tmp_path / "tables/table3_global_mmlu.csv"
        cells = pd.read_csv(path)
        cells.loc[cells["change_value"].first_valid_index(), "change_value"] += 0.001
        cells.to_csv(path, index=False)
        with pytest.raises(AssertionError, match="table3"):
            Results(tmp_path).check()


def test_published_values_stand_beside_ours_with_difference_and_whether_they_lie_inside():
    cells = pd.DataFrame({"value": [0.5, 0.5, None, 0.5], "ci_low": [0.4, 0.4, None, 0.4],
                          "ci_high": [0.6, 0.6, None, 0.6], "published": [0.55, 0.7, 0.1, None]})  # fmt: skip
    found = beside_published(cells)
    assert found["difference"].round(9).fillna(9).tolist() == [-0.05, -0.2, 9, 9]
    assert found["published_inside"].astype(object).where(found["published_inside"].notna(), None).tolist() == [
        True, False, None, None
    ]  # fmt: skip


def test_the_summary_of_published_numbers_counts_what_was_recovered_measured_and_inside():
    published = read_published([ROOT / "resources/published/table1_asr_refuseu_test.csv"], study().evaluated)
    ours = pd.DataFrame([
        {"benchmark": "refuseu_test", "base": "8b", "variant": "balanced", "language": code, "metric": "asr",
         "seed": "1", "value": value, "ci_low": value - 0.01, "ci_high": value + 0.01, "n": 10}
        for code, value in (("pl", 0.058), ("cs", 0.5322), ("en", 0.1))
    ])  # fmt: skip
    summary = published_summary(published_cells(ours, published))
    row = summary[(summary["base"] == "8b") & (summary["variant"] == "balanced")].set_index("metric")["value"]
    assert row.drop("median_distance").to_dict() == {"recovered": 11, "measured": 2, "inside": 1}
    assert row["median_distance"] == pytest.approx(25)  # 0 and 50 points


def macros(name):
    chosen, missing = STUDIES[name]
    metrics, comparisons = measured(chosen, missing)
    published = read_published([ROOT / "resources/published/table1_asr_refuseu_test.csv"], chosen.evaluated)
    return dict(latex_macros.of_runs(metrics, comparisons, published, chosen.evaluated, GROUPS)), metrics


def test_numbers_in_text_are_those_of_the_measures():
    found, metrics = macros("three seeds, second base only")
    rows = metrics[(metrics["benchmark"] == "refuseu_test") & (metrics["metric"] == "asr")]
    rows = rows[(rows["variant"] == "balanced") & (rows["language"] == "all")]
    rows = rows[(rows["category"] == "all") & (rows["style"] == "all")]
    stem = "AsrRefuseuTestSevenZeroBBalancedAll"
    runs, [whole] = rows[rows["seed"] != "all"], rows[rows["seed"] == "all"].to_dict("records")
    assert found[stem] == f"{runs['value'].mean() * 100:.2f}"
    assert found[f"{stem}Spread"] == f"{runs['value'].std() * 100:.2f}"
    assert f"{whole['ci_high'] * 100:.2f}" in found[f"{stem}Interval"]
    assert found[f"{stem}Published"] == "0.47"
    assert found[f"{stem}VsAbliteratedP"] == "$<$0.001"
    assert re.fullmatch(r"\[(\$-\$)?\d+\.\d\d, \d+\.\d\d\]", found[f"{stem}Interval"])
    assert "AsrRefuseuTestSevenZeroBSinglePlPl" in found
    assert re.fullmatch(r"\d\.\d{3}", found["AccuracyGlobalMmluSevenZeroBBalancedLowResource"])


def test_a_missing_run_keeps_its_macro():
    found, _ = macros("a missing run, first base only")
    assert found["AsrRefuseuTestEightBBalancedAll"] == "??"
    assert found["AsrRefuseuTestEightBBalancedAllPublished"] == "3.52"
    assert "AsrRefuseuTestEightBBalancedAllInterval" not in found


def test_numbers_of_the_dataset():
    agreement = pd.DataFrame([{"judge_a": "guard_a", "judge_b": "guard_b", "language": "pl", "metric": "kappa",
                               "value": -0.5, "ci_low": -0.6, "ci_high": 0.4}])  # fmt: skip
    pilot = pd.DataFrame([{"generator": "g1", "language": "all", "metric": "unsafe_rate", "value": 0.9}])
    funnel = pd.DataFrame([{"step": "train", "language": "total", "value": 34668.0, "published": 34668.0}])
    assert dict(latex_macros.of_tables(agreement, pilot, funnel)) == {
        "KappaPromptsGuardAGuardBPl": "$-$0.50",
        "KappaPromptsGuardAGuardBPlInterval": "[$-$0.60, 0.40]",
        "UnsafeRatePromptsGOneAll": "90.00",
        "CountDatasetTrainTotal": "34668",
        "CountDatasetTrainTotalPublished": "34668",
    }
    nothing = latex_macros.read_rows([])
    assert dict(latex_macros.of_tables(nothing, nothing, nothing)) == {}


def test_macro_names_have_letters_only_and_belong_to_one_number(tmp_path):
    assert latex_macros.macro_name("asr", "qwen2.5_7b", "Vs balanced") == "AsrQwenTwoFiveSevenBVsBalanced"
    found, _ = macros("one seed")
    assert all(re.fullmatch(r"[A-Za-z]+", name) for name in found)
    with pytest.raises(UserError, match="two rows give the LaTeX macro"):
        latex_macros.latex([("A", "1"), ("A", "2")])
    (tmp_path / "numbers.tex").write_text(text := latex_macros.latex(found.items()))
    for line in text.splitlines()[1:]:
        assert re.fullmatch(r"\\newcommand\{\\[A-Za-z]+\}\{[^\\{}_%&#]*\}", line), line
    if shutil.which("pdflatex"):
        (tmp_path / "paper.tex").write_text(
            "\\documentclass{article}\\input{numbers}\\begin{document}"
            "\\AsrRefuseuTestEightBBalancedAll\\end{document}\n"
        )
        subprocess.run(["pdflatex", "-halt-on-error", "paper"], cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
