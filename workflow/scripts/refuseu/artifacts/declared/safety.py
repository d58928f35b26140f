"""Safety: how often runs answer harmfully, and what else their answers are."""

from refuseu.analysis.runs import in_tables, is_open, not_single
from refuseu.artifacts.artifact import FURTHER, MEASURES, Artifact
from refuseu.artifacts.choices import on_one_language, those

SAFETY = "Safety"
IN_BRACKETS = (
    "In brackets: arXiv 2606.07535, Table 1, as far as recovered; – where only the published number exists. The order "
    "of the paper's four aligned 8B runs is uncertain and may be the opposite one."
)
NOT_RECOVERED = "The published table was not recovered."

# fmt: off
ARTIFACTS = (
    Artifact(
        SAFETY, "table", "table1", "table1_asr_refuseu_test", "safety:asr_table", those(in_tables), "refuseu_test",
        title="Table 1. ASR on RefusEU-test",
        caption="Share of harmful prompts that are answered harmfully, in percent, per language and run; the last row "
        "of a group is the unweighted mean of its languages. Two guards judge, an adjudicator decides where they "
        "differ. In brackets the published value, as far as it was recovered. Intervals for slots and "
        "training seeds that might have been drawn, and the number of prompts, are in the CSV file.",
        inputs={"measures": MEASURES}, published=("table1_asr_refuseu_test",),
        says={"title": "ASR [%] on RefusEU-test", "note": IN_BRACKETS},
    ),
    Artifact(
        SAFETY, "figure", "fig3", "fig3_asr_heatmap", "safety:asr_heatmap", those(in_tables), "refuseu_test",
        title="Figure 3. ASR on RefusEU-test",
        caption="Runs (rows, by base) by languages (columns, by group), in percent; Ø is the unweighted mean. Darker "
        "is less safe; the colour scale is a square root, so that small rates stay apart. Runs on a single language "
        "have a figure of their own.",
        inputs={"measures": MEASURES}, published=("table1_asr_refuseu_test",),
    ),
    Artifact(
        SAFETY, "table", "asr_by_category", "asr_by_category", "safety:asr_by", those(in_tables), "refuseu_test",
        title="ASR by category",
        caption="Share of harmful prompts on RefusEU-test that are answered harmfully, in percent with interval, per "
        "category of harm and run: the mean over all languages. The paper has no such table.",
        inputs={"measures": MEASURES}, facts=("models",), says={"kind": "category"},
    ),
    Artifact(
        SAFETY, "figure", "asr_by_category_figure", "asr_by_category", "safety:asr_by_heatmap", those(in_tables),
        "refuseu_test", title="ASR by category",
        caption="Runs (rows, by base) by categories of harm (columns) on RefusEU-test, in percent, coloured as in "
        "Figure 3: the mean over all languages. Intervals are in the table of the same name.",
        inputs={"measures": MEASURES}, facts=("models",), says={"kind": "category"},
    ),
    Artifact(
        SAFETY, "table", "asr_by_style", "asr_by_style", "safety:asr_by", those(in_tables), "refuseu_test",
        title="ASR by attack style",
        caption="The same per attack style. Styles are known where the dataset was built here.",
        inputs={"measures": MEASURES}, facts=("models",), says={"kind": "style"},
    ),
    Artifact(
        SAFETY, "figure", "asr_by_style_figure", "asr_by_style", "safety:asr_by_heatmap", those(in_tables),
        "refuseu_test", title="ASR by attack style",
        caption="Runs (rows, by base) by attack styles (columns) on RefusEU-test, in percent: the mean over all "
        "languages.",
        inputs={"measures": MEASURES}, facts=("models",), says={"kind": "style"},
    ),
    Artifact(
        SAFETY, "table", "variance", "variance", "safety:variance", those(in_tables),
        "refuseu_test knowledge fluency benign", title="Where the uncertainty comes from",
        caption="The standard error of each headline number, and how much of its square comes from prompts, from slots "
        "(or prompts that all languages share) and from training seeds, as far as there are several.",
        inputs={"measures": MEASURES}, facts=("kinds", "models"),
    ),
    Artifact(
        SAFETY, "table", "published_table", "published_beside_ours", "safety:published_table",
        title="Published numbers beside ours",
        caption="For each run how many published values were recovered, how many of them this study measured, how many "
        "lie in our intervals, and their median distance in points. The paper's bases stand beside ours of the same "
        "name, or else by position.",
        inputs={"metrics": "<study>/metrics/metrics.csv"},
        published=("table1_asr_refuseu_test", "asr_rtp_lx", "asr_polyglotox", "table3_global_mmlu"),
        facts=("evaluated",), frame=True,
    ),
    Artifact(
        SAFETY, "figure", "fig4", "fig4_asr_vs_language_consistency", "safety:fig4", those(in_tables), "refuseu_test",
        title="Figure 4. ASR and language consistency",
        caption="Share of harmful answers against share of answers in the language of the prompt, on RefusEU-test. "
        "Large dots are averages over all languages, small dots single languages. Best is the lower right corner: "
        "safe, and in the right language.",
        inputs={"measures": MEASURES},
    ),
    Artifact(
        SAFETY, "table", "outcomes_table", "outcomes", "safety:outcomes_table", those(not_single), "refuseu_test",
        method="judging.md#refusals",
        title="What the answers are",
        caption="A guard calls an empty or broken answer safe, so a low ASR alone may reward a broken model. This "
        "table says what the answers on RefusEU-test are, how many of the safe ones refuse, how often benign "
        "questions are refused, and how often verdicts were unparsed or the guards differed. The paper has no such "
        "table.",
        further=("benign", "fluency"), inputs={"measures": MEASURES, "others": FURTHER},
        facts=("models", "refusals_by"),
    ),
    Artifact(
        SAFETY, "table", "table2", "table2_transfer_matrix", "safety:table2", on_one_language, "refuseu_test",
        method="statistics.md#transfer",
        title="Table 2. Transfer between languages",
        caption="ASR on RefusEU-test, in percent, of runs trained on one language (rows) in every language (columns). "
        "The first row is the abliterated base. Whether related languages protect each other more is tested among the "
        "claims. The published matrix was not recovered.",
        inputs={"measures": MEASURES}, facts=("languages", "models", "trained_on"),
    ),
    Artifact(
        SAFETY, "figure", "transfer_figure", "transfer_heatmap", "safety:transfer_heatmap", on_one_language,
        "refuseu_test", method="statistics.md#transfer", title="Transfer between languages",
        caption="ASR on RefusEU-test, in percent, of runs trained on one language (rows) in every language (columns), "
        "coloured as in Figure 3; the first row is the abliterated base. A light diagonal means that safety stays in "
        "the language that it was learned in, a light row that it carries over.",
        inputs={"measures": MEASURES}, facts=("languages", "models", "trained_on"),
    ),
    Artifact(
        SAFETY, "table", "rtp_lx", "asr_rtp_lx", "safety:asr_table", those(in_tables), "rtp_lx", title="ASR on RTP-LX",
        caption="Share of toxic continuations, in percent, per language and run, judged as on RefusEU-test. The "
        "published table was not recovered; the paper reports less than 5 % for every aligned run and roughly 20 % "
        "for the abliterated bases.",
        inputs={"measures": MEASURES}, published=("asr_rtp_lx",),
        says={"title": "ASR [%] on RTP-LX", "note": NOT_RECOVERED},
    ),
    Artifact(
        SAFETY, "table", "polyglotox", "asr_polyglotox", "safety:asr_table", those(in_tables), "polyglotox",
        title="ASR on PolygloToxicityPrompts",
        caption="Share of toxic continuations, in percent, per language and run; the benchmark has eight of the twelve "
        "languages, and averages are over those. The published table was not recovered; the paper reports less than 5 "
        "% for every aligned run and roughly 20 % for the abliterated bases.",
        inputs={"measures": MEASURES}, published=("asr_polyglotox",),
        says={"title": "ASR [%] on PolygloToxicityPrompts", "note": NOT_RECOVERED},
    ),
    Artifact(
        SAFETY, "table", "table16", "table16_open_models", "safety:asr_table", those(is_open), "refuseu_test",
        title="Table 16. Open models",
        caption="ASR on RefusEU-test, in percent, of open models without any alignment of ours. The published table "
        "was not recovered.",
        inputs={"measures": MEASURES}, says={"title": "ASR [%] of open models on RefusEU-test", "note": NOT_RECOVERED},
    ),
    Artifact(
        SAFETY, "figure", "fig12", "fig12_asr_open_models", "safety:asr_heatmap", those(is_open), "refuseu_test",
        title="Figure 12. ASR of open models",
        caption="Open models (rows) by languages (columns) on RefusEU-test, in percent, coloured as in Figure 3. Ø is "
        "the unweighted mean.",
        inputs={"measures": MEASURES},
    ),
)
# fmt: on
