"""From a file of `results/` alone to the code behind it: its rule, the script of the rule, the module that works."""

import ast
from pathlib import Path

import pytest

from refuseu.artifacts.declared import ARTIFACTS
from support.helpers import ROOT, SCRIPTS

# File of the paper's study → rule, script, and the module of the package that does the work.
FOUND = {
    "translate_seeds/seeds.jsonl": ("translate_seeds", "translate_seeds", "dataset.translation"),
    "filter_prompts/main/prompts.jsonl": ("filter_prompts", "filter_prompts", "dataset.filters"),
    "feasibility/main.jsonl": ("feasibility", "feasibility", "dataset.feasibility"),
    "split_pairs/train.jsonl": ("split_pairs", "split_pairs", "dataset.pairs"),
    "align/8b-balanced-s1/adapter_model.safetensors": ("align", "align", "training.alignment"),
    "judge/polyguard/8b-balanced-s1/refuseu_test.jsonl": ("judge", "judge", "evaluation.judging"),
    "knowledge/8b-balanced-s1/global_mmlu.jsonl": ("knowledge", "knowledge", "evaluation.knowledge"),
    "measure/8b-balanced-s1/refuseu_test.csv": ("measure", "measure", "analysis.metrics"),
    "metrics/metrics.csv": ("metrics", "metrics", "analysis.metrics"),
    "claims.csv": ("claims", "claims", "analysis.claims"),
    "report.html": ("report", "report", "artifacts.report"),
    "answers/index.html": ("answers", "answers", "artifacts.answers"),
    "tables/table1_asr_refuseu_test.tex": ("table1", "table", "artifacts.safety"),
    "tables/judge_agreement.md": ("agreement_table", "table", "artifacts.judges"),
    "figures/fig3_asr_heatmap.png": ("fig3", "figure", "artifacts.safety"),
    "figures/fig2_kappa.csv": ("fig2", "figure", "artifacts.judges"),
    "logs/align/8b-balanced-s1.log": ("align", "align", "training.alignment"),
    "journal/judge/polyguard/8b-balanced-s1/refuseu_test.jsonl": ("judge", "judge", "evaluation.judging"),
}


def behind(path):
    """Rule, script and modules of a file, by the law of paths that CONTRIBUTING states."""
    folder, *rest = Path(path).parts
    if folder in ("logs", "journal"):
        folder = rest[0]
    if folder in ("tables", "figures"):  # these have the names of the declaration
        [artifact] = [one for one in ARTIFACTS if f"{one.kind}s/{one.file}" == str(Path(path).with_suffix(""))]
        return artifact.target, artifact.kind, {artifact.function.partition(":")[0]}
    rule = folder if rest else Path(folder).stem
    tree = ast.parse((SCRIPTS / f"{rule}.py").read_text(encoding="utf-8"))
    used = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return (
        rule,
        rule,
        {name for node in used for name in (node.module, *(f"{node.module}.{a.name}" for a in node.names))},
    )


@pytest.mark.parametrize("path", FOUND)
def test_the_code_behind_a_file_is_found_from_its_path_alone(whole, path):
    rule, script, modules = behind(path)
    assert (rule, script) == FOUND[path][:2]
    assert f"refuseu.{FOUND[path][2]}" in modules
    assert (SCRIPTS / "refuseu" / f"{FOUND[path][2].replace('.', '/')}.py").is_file()
    if not path.startswith(("logs/", "journal/")):
        makers = {job.split()[0] for job, (_, made) in whole("paper").items() if f"results/paper/{path}" in made}
        assert makers == {rule}


def test_the_law_of_paths_is_written_down():
    assert "Rule `align` runs `workflow/scripts/align.py`" in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
