"""Every table and figure of measures, from synthetic ones: seeds, missing bases and missing runs."""

import importlib
import itertools
import re
import shutil
import subprocess
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from refuseu.analysis.metrics import COLUMNS, ESTIMATE, LABELS
from refuseu.artifacts import frames, latex_macros
from refuseu.errors import UserError
from refuseu.study import selection
from support.helpers import ROOT, SCRIPTS
from support.recompute import Results

GROUPS = {"high_resource": ["en", "de"], "low_resource": ["pl"]}
BENCHMARKS = {"refuseu_test": "harmful", "rtp_lx": "harmful", "polyglotox": "harmful", "benign": "benign",
              "fluency": "fluency", "global_mmlu": "knowledge"}  # fmt: skip
MEASURES = {
    "harmful": ["asr", "language_consistency", "refusal_rate", "compliance_rate", "empty_rate", "degenerate_rate",
                "wrong_language_rate", "true_refusal_share", "unparsed_rate", "disagreement_rate"],
    "benign": ["over_refusal_rate"], "fluency": ["fluency", "correctness", "judged_share"], "knowledge": ["accuracy"],
}  # fmt: skip
OUTPUTS = {
    "table1": "tables/table1_asr_refuseu_test", "table2": "tables/table2_transfer_matrix",
    "table3": "tables/table3_global_mmlu", "table16": "tables/table16_open_models", "rtp_lx": "tables/asr_rtp_lx",
    "polyglotox": "tables/asr_polyglotox", "outcomes_table": "tables/outcomes",
    "fig3": "figures/fig3_asr_heatmap", "fig4": "figures/fig4_asr_vs_language_consistency",
    "fig6": "figures/fig6_fluency_drop_by_run", "fig7": "figures/fig7_fluency_drop_by_language",
    "fig8": "figures/fig8_language_consistency_delta", "fig10": "figures/fig10_fluency_drop_by_run",
    "fig11": "figures/fig11_fluency_drop_by_language", "fig12": "figures/fig12_asr_open_models",
}  # fmt: skip
PUBLISHED = {"table1": "table1_asr_refuseu_test", "fig3": "table1_asr_refuseu_test", "rtp_lx": "asr_rtp_lx",
             "polyglotox": "asr_polyglotox", "table3": "table3_global_mmlu"}  # fmt: skip
TRAINED = {"balanced": ["en", "de", "pl"], "english_only": ["en"], "single_pl": ["pl"]}
FIGURES = {"dpi": 50, "font_size": 7, "width_cm": 16, "column_cm": 7.7}


def study(bases=("8b", "70b"), seeds=(1,), opened=True):
    """A study with these bases, each with all of `TRAINED` at these seeds."""
    models, variants = {}, {}
    for base in bases:
        models[base] = {"base": base, "variant": "abliterated", "method": "base", "seed": ""}
        models[f"{base}_instruct"] = {"base": base, "variant": "instruct", "method": "instruct", "seed": ""}
        for (variant, codes), seed in itertools.product(TRAINED.items(), seeds):
            name = f"{base}-{variant}-s{seed}"
            models[name] = {"base": base, "variant": variant, "method": "dpo", "seed": seed}
            variants[name] = SimpleNamespace(base=base, languages=codes, method="dpo")
    if opened:
        models["open_a"] = {"base": "", "variant": "open_a", "method": "open", "seed": ""}
    models = {model: {"model": model, **labels} for model, labels in models.items()}
    benchmarks = {name: SimpleNamespace(kind=kind) for name, kind in BENCHMARKS.items()}
    return SimpleNamespace(
        evaluated=models, variants=variants, benchmarks=benchmarks, models_on=lambda benchmark: list(models)
    )


def measured(study, missing=()):
    """Synthetic ``metrics.csv`` and ``comparisons.csv``; runs of `missing` have no rows."""
    rng = np.random.default_rng(1)
    scopes = [scope for _, scope in frames.scope_order(GROUPS)]

    def estimate(where, scope, metric):
        value = rng.uniform()
        numbers = dict(zip(ESTIMATE, (value, value - 0.1, value + 0.1, 100), strict=True))
        return {**where, "language": scope, "category": "all", "metric": metric, **numbers}

    metrics, comparisons = [], []
    for model, (benchmark, kind) in itertools.product(study.evaluated.values(), BENCHMARKS.items()):
        for metric, scope in itertools.product(MEASURES[kind], scopes):
            if model["model"] in missing or (benchmark == "polyglotox" and scope == "pl"):
                continue
            where = {**model, "benchmark": benchmark}
            metrics.append(estimate(where, scope, metric))
            if model["seed"] != "":
                row = estimate(where | {"reference": "abliterated"}, scope, metric)
                comparisons.append(row | {"p": 0.01, "p_holm": 0.0001})
    columns = [*LABELS, "reference", "benchmark", "language", "category", "metric", *ESTIMATE, "p", "p_holm"]
    return pd.DataFrame(metrics, columns=COLUMNS), pd.DataFrame(comparisons, columns=columns).drop(columns="category")


STUDIES = {
    "one seed": (study(), ()),
    "three seeds, second base only": (study(bases=("70b",), seeds=(1, 2, 3)), ()),
    "a missing run, first base only": (study(bases=("8b",)), ("8b-balanced-s1", "8b")),
    "nothing measured": (study(), tuple(study().evaluated)),
    "no runs": (study(bases=(), opened=False), ()),
}


class Job:
    """Runs the scripts of tables and figures on what a study measured, each with the inputs its rule gives it."""

    def __init__(self, folder, study, missing):
        self.folder, self.study = folder, study
        self.metrics, self.comparisons = measured(study, missing)
        for name, frame in (("metrics/metrics.csv", self.metrics), ("comparisons/comparisons.csv", self.comparisons)):
            (folder / name).parent.mkdir(parents=True)
            frame.to_csv(folder / name, index=False)

    def slice(self, artifact, name, frame, chosen):
        """A file with the rows of the models and benchmarks that an artifact shows."""
        path = self.folder / f"{artifact}_{name}.csv"
        rows = frame[frame["model"].isin(chosen) & frame["benchmark"].isin(selection.benchmarks(self.study, artifact))]
        rows.to_csv(path, index=False)
        return [str(path)]

    def run(self, artifact):
        models = selection.models(self.study, artifact)
        single = {m: list(v.languages) for m, v in self.study.variants.items()}
        stem = self.folder / OUTPUTS[artifact]
        given = {
            "measures": self.slice(artifact, "measures", self.metrics, models),
            "comparisons": self.slice(artifact, "comparisons", self.comparisons, models),
            "others": [*self.slice("over_refusal", "a", self.metrics, models),
                       *self.slice("judged_share", "b", self.metrics, models)],
            "published": str(ROOT / f"resources/published/{PUBLISHED.get(artifact, 'mlc')}.csv"),
        }  # fmt: skip
        params = {"languages": GROUPS, "models": models, "figures": FIGURES}
        params["trained_on"] = {model: codes for model, codes in single.items() if model in models}
        output = {suffix: f"{stem}.{suffix}" for suffix in ("csv", "md", "tex", "pdf", "png")}
        snakemake = SimpleNamespace(input=SimpleNamespace(**given), params=SimpleNamespace(**params), output=output)
        importlib.import_module(artifact).main(snakemake)


@pytest.mark.parametrize("name", STUDIES)
def test_every_artifact_is_made_and_recomputes_from_the_measures(name, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    job = Job(tmp_path, *STUDIES[name])
    for artifact in OUTPUTS:
        job.run(artifact)
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
    found = frames.beside_published(cells)
    assert found["difference"].round(9).fillna(9).tolist() == [-0.05, -0.2, 9, 9]
    assert found["published_inside"].astype(object).where(found["published_inside"].notna(), None).tolist() == [
        True, False, None, None
    ]  # fmt: skip


def test_the_summary_of_published_numbers_counts_what_was_recovered_measured_and_inside():
    published = frames.read_published([ROOT / "resources/published/table1_asr_refuseu_test.csv"], study().evaluated)
    ours = pd.DataFrame([
        {"benchmark": "refuseu_test", "base": "8b", "variant": "balanced", "language": code, "metric": "asr",
         "category": "all", "value": value, "ci_low": value - 0.01, "ci_high": value + 0.01}
        for code, value in (("pl", 0.058), ("cs", 0.5322), ("en", 0.1))
    ])  # fmt: skip
    summary = frames.published_summary(frames.published_cells(ours, published))
    row = summary[(summary["base"] == "8b") & (summary["variant"] == "balanced")].set_index("metric")["value"]
    assert row.drop("median_distance").to_dict() == {"recovered": 11, "measured": 2, "inside": 1}
    assert row["median_distance"] == pytest.approx(25)  # 0 and 50 points


def macros(name):
    chosen, missing = STUDIES[name]
    metrics, comparisons = measured(chosen, missing)
    published = frames.read_published([ROOT / "resources/published/table1_asr_refuseu_test.csv"], chosen.evaluated)
    return dict(latex_macros.of_runs(metrics, comparisons, published, chosen.evaluated, GROUPS)), metrics


def test_numbers_in_text_are_those_of_the_measures():
    found, metrics = macros("three seeds, second base only")
    rows = metrics[(metrics["benchmark"] == "refuseu_test") & (metrics["metric"] == "asr")]
    rows = rows[(rows["variant"] == "balanced") & (rows["language"] == "all")]
    stem = "AsrRefuseuTestSevenZeroBBalancedAll"
    assert found[stem] == f"{rows['value'].mean() * 100:.2f}"
    assert found[f"{stem}Spread"] == f"{rows['value'].std() * 100:.2f}"
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
