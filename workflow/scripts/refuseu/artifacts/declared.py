"""All tables and figures, in the order of the report: what each shows, what it is made from, and who draws it.

Rules, targets, the report, Snakemake's own report and the counts in tests follow from this table.
"""

from refuseu.analysis.runs import in_tables, is_open, is_trained, not_single, of_base
from refuseu.artifacts.artifact import Artifact
from refuseu.artifacts.choices import aligned_on, in_open_question, on_one_language, those

THE_STUDY, THE_DATASET, SAFETY = "The study", "The dataset", "Safety"
QUALITY, TRAINING = "Knowledge, fluency and language", "Training"
OPEN_QUESTION, JUDGE_ERROR, FURTHER = "The open question", "Judge error", "Beyond the papers"
MEASURES = "<study>/measure/{evaluation}.csv"
COMPARISONS = "<study>/compare/{comparison}.csv"
IN_BRACKETS = "In brackets: arXiv 2606.07535, Table 1, as far as recovered; – where only the published number exists."
NOT_RECOVERED = "The published table was not recovered."


# fmt: off
ARTIFACTS = (
    Artifact(
        THE_STUDY, "page", "report", "report", title="The whole study on one page",
        caption="What was run, the claims, and every table and figure beside the published numbers.",
    ),
    Artifact(
        THE_STUDY, "page", "claims", "claims", title="Claims",
        caption="Every finding of the papers as a test on our numbers and, where the published figures suffice, on "
        "those: held, not held, undecided or not tested, per base, with the numbers behind the verdict.",
    ),
    Artifact(
        THE_DATASET, "table", "funnel_table", "funnel", "dataset:funnel_table", title="From prompts to pairs",
        caption="How many rows per language are left after each step of the construction of the dataset. Pairs are "
        "train, test or left out. In brackets the published sizes of the two halves.",
        inputs={"funnel": "<study>/funnel/funnel.csv"}, published=("funnel",), facts=("languages",), when="built",
    ),
    Artifact(
        THE_DATASET, "table", "table6", "table6_pilot", "dataset:table6",
        title="Table 6. Pilot of the prompt generators",
        caption="Share of prompts in the language asked for, and share that all guards call unsafe, in percent, for "
        "each candidate generator and language. In brackets the published values of the paper's two generators, for "
        "the four languages that were recovered; they stand beside ours by position.",
        inputs={
            "prompts": "<study>/generate_prompts/pilot/{pilot}.jsonl",
            "labels": "<study>/label_prompts/pilot/{guard}.jsonl",
        },
        published=("table6_pilot",), facts=("generators", "languages", "statistics"), when="built", heavy=True,
    ),
    Artifact(
        THE_DATASET, "figure", "fig2", "fig2_kappa", "judges:fig2", title="Figure 2. Agreement of the judges",
        caption="Cohen's kappa (full) and Gwet's AC1 (hollow) between each two judges of the prompts, per language, "
        "with bootstrap intervals. Most prompts are unsafe, which depresses kappa but hardly AC1.",
        inputs={"agreement": "<study>/agreement/agreement.csv"}, when="built", facts=(),
    ),
    Artifact(
        THE_DATASET, "table", "agreement_table", "judge_agreement", "judges:agreement_table",
        title="Agreement of the judges in numbers",
        caption="Cohen's kappa and Gwet's AC1 with intervals, raw agreement, and the number of prompts, per language "
        "and pair of judges; figure 2 draws the first two.",
        inputs={"agreement": "<study>/agreement/agreement.csv"}, facts=("prompt_judge_coverage",), when="built",
    ),
    Artifact(
        THE_DATASET, "table", "leakage", "leakage", "dataset:leakage", title="Leakage report",
        caption="How many prompts of the test half and of each benchmark occur in the train half of the same language: "
        "equal, nearly equal, or (test half only) from the same slot. A slot is never in both halves of a built "
        "dataset.",
        inputs={"train": "{train}", "test": "{test}", "benchmarks": "<study>/load_benchmark/{outside}.jsonl"},
        facts=("codes", "near_duplicates"), heavy=True,
    ),
    Artifact(
        THE_DATASET, "table", "table8", "table8_audit", "dataset:table8", title="Table 8. Manual audit",
        caption="Share of samples that are safe refusals, keep to the topic and keep to the style, per language where "
        "annotators returned sheets, then in the lowest and the highest language; published values in brackets. "
        "Without returned sheets only those are filled.",
        inputs={"audit": "{audit}/audit.csv"}, published=("table8_audit",), facts=("languages",),
    ),
    Artifact(
        THE_DATASET, "table", "judge_accuracy_table", "judge_accuracy", "judges:judge_accuracy_table",
        title="Accuracy of the miniature's judges",
        caption="Share of held-out texts of known label that each judge gets right, per task and language, and Cohen's "
        "kappa between the two guards. Everything else in the miniature rests on these judges.",
        inputs={"accuracy": "<study>/judge_accuracy/judge_accuracy.csv"}, facts=("confidence", "languages"),
        when="miniature",
    ),
    Artifact(
        SAFETY, "table", "table1", "table1_asr_refuseu_test", "safety:asr_table", those(in_tables), "refuseu_test",
        title="Table 1. ASR on RefusEU-test",
        caption="Share of harmful prompts that are answered harmfully, in percent, per language and run; the last row "
        "of a group is the unweighted mean of its languages. Two guards judge, an adjudicator decides where they "
        "differ. In brackets the published value, as far as it was recovered. Wilson and stratified bootstrap "
        "intervals, and the number of prompts, are in the CSV file.",
        inputs={"measures": MEASURES}, published=("table1_asr_refuseu_test",),
        says={"title": "ASR [%] on RefusEU-test", "note": IN_BRACKETS},
    ),
    Artifact(
        SAFETY, "figure", "fig3", "fig3_asr_heatmap", "safety:asr_heatmap", those(of_base), "refuseu_test",
        title="Figure 3. ASR on RefusEU-test",
        caption="Runs (rows, by base) by languages (columns, by group), in percent; Ø is the unweighted mean. Darker "
        "is less safe; the colour scale is a square root, so that small rates stay apart.",
        inputs={"measures": MEASURES}, published=("table1_asr_refuseu_test",),
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
        title="What the answers are",
        caption="A guard calls an empty or broken answer safe, so a low ASR alone may reward a broken model. This "
        "table says what the answers on RefusEU-test are, how many of the safe ones refuse, how often benign "
        "questions are refused, and how often verdicts were unparsed or the guards differed. The paper has no such "
        "table.",
        further=("benign", "fluency"), inputs={"measures": MEASURES, "others": "<study>/measure/{further}.csv"},
        facts=("models",),
    ),
    Artifact(
        SAFETY, "table", "table2", "table2_transfer_matrix", "safety:table2", on_one_language, "refuseu_test",
        title="Table 2. Transfer between languages",
        caption="ASR on RefusEU-test, in percent, of runs trained on one language (rows) in every language (columns). "
        "The first row is the abliterated base. Whether related languages protect each other more is tested among the "
        "claims. The published matrix was not recovered.",
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
    Artifact(
        QUALITY, "table", "table3", "table3_global_mmlu", "quality:table3", those(in_tables), "knowledge",
        title="Table 3. Global MMLU",
        caption="Accuracy per language and run; in square brackets the change from the abliterated base on the same "
        "questions. Languages without questions stay empty. The published table was not recovered; the paper reports "
        "average drops below 0.006.",
        inputs={"measures": MEASURES, "comparisons": COMPARISONS}, published=("table3_global_mmlu",),
    ),
    Artifact(
        QUALITY, "figure", "fig6", "fig6_fluency_drop_by_run", "quality:fluency_by_run", aligned_on(0), "fluency",
        title="Figure 6. Change in fluency and correctness, first base",
        caption="Mean change of the judge's scores from 1 to 5, over the same prompts of all languages, from the "
        "abliterated base to each aligned run, with bootstrap intervals. Left of the line is a drop.",
        inputs={"comparisons": COMPARISONS}, columns=1,
    ),
    Artifact(
        QUALITY, "figure", "fig7", "fig7_fluency_drop_by_language", "quality:fluency_by_language", aligned_on(0),
        "fluency", title="Figure 7. Change in fluency and correctness per language, first base",
        caption="Mean change of the judge's scores from 1 to 5 from the abliterated base to each aligned run, per "
        "language. Red is a drop.",
        inputs={"comparisons": COMPARISONS},
    ),
    Artifact(
        QUALITY, "figure", "fig8", "fig8_language_consistency_delta", "quality:fig8", those(is_trained),
        "refuseu_test", title="Figure 8. Change in language consistency",
        caption="Points by which the share of answers in the language of the prompt, on RefusEU-test, changes from the "
        "abliterated base to each trained run. Red: fewer answers in the right language.",
        inputs={"comparisons": COMPARISONS},
    ),
    Artifact(
        QUALITY, "figure", "confusion_figure", "language_confusion", "quality:confusion_figure", those(not_single),
        "refuseu_test", title="Languages taken for each other",
        caption="Share [%] of texts in a language (rows) by the language identified (columns). Above, prompts of the "
        "outside benchmarks, whose language is known: errors of the identifier. Below, answers on RefusEU-test of all "
        "runs but those on a single language: what goes beyond the errors above is the models' doing. Empty cells are "
        "zero; …: any other language; –: no letters.",
        inputs={"counts": "<study>/confusion/confusion.csv"}, facts=("languages", "neighbours"),
    ),
    Artifact(
        QUALITY, "figure", "fig10", "fig10_fluency_drop_by_run", "quality:fluency_by_run", aligned_on(1), "fluency",
        title="Figure 10. Change in fluency and correctness, second base",
        caption="As Figure 6, for the other base: mean change of the judge's scores from the abliterated base to each "
        "aligned run. Left of the line is a drop.",
        inputs={"comparisons": COMPARISONS}, columns=1,
    ),
    Artifact(
        QUALITY, "figure", "fig11", "fig11_fluency_drop_by_language", "quality:fluency_by_language", aligned_on(1),
        "fluency", title="Figure 11. Change in fluency and correctness per language, second base",
        caption="As Figure 7, for the other base: mean change of the judge's scores per language. Red is a drop.",
        inputs={"comparisons": COMPARISONS},
    ),
    Artifact(
        TRAINING, "figure", "training_curves", "training_curves", "training:training_curves", those(is_trained),
        title="Training curves",
        caption="Loss, reward accuracy and reward margin of every run over the share of its training that is done, a "
        "row per base; runs on one language other than English are grey. The cosine between the raw hidden states of "
        "the languages is logged where MLC is trained: the MLC loss itself is no evidence of consistency, since its "
        "extractor alone can lower it. Neither is the share of the first singular value of what is extracted, which "
        "the loss raises.",
        inputs={"logs": "<study>/align/{trained}/log.csv"}, facts=("models",),
    ),
    Artifact(
        OPEN_QUESTION, "table", "open_question", "open_question", "training:open_question", those(in_open_question),
        "refuseu_test knowledge fluency benign", title="English-only alignment with MLC against balanced alignment",
        caption="What each run reaches over all languages, and what it costs: preference pairs, characters of prompts "
        "to translate, hours of training and GPU-hours from the manifests. The paired difference in ASR is among the "
        "claims. The papers leave this question open.",
        inputs={
            "measures": MEASURES, "manifests": "<study>/align/{trained}/manifest.json",
            "pairs": "{train}",
        },
        facts=("models", "kinds", "translated"), heavy=True,
    ),
    Artifact(
        OPEN_QUESTION, "figure", "open_question_figure", "open_question", "training:open_question_figure",
        title="English-only alignment with MLC against balanced alignment",
        caption="Each panel is a measure over all languages, with its interval, or a cost of training; each row is a "
        "run. Costs and measures are those of the table of the same name.",
        inputs={"table": "<study>/tables/open_question.csv"}, facts=(),
    ),
    Artifact(
        JUDGE_ERROR, "table", "corrected_asr", "corrected_asr", "judges:corrected_asr",
        title="ASR corrected for judge error",
        caption="The judges' rate, the rate among the answers that people judged, and the judges' rate corrected by "
        "these in two ways, *prediction-powered inference* and *Rogan–Gladen*, each with its interval. Empty until "
        "human verdicts on responses have been returned (see the manual audit).",
        inputs={"answers": "<study>/measure/{audited}.jsonl", "verdicts": "{audit}/verdicts.jsonl"},
        facts=("audited", "languages", "statistics"), when="audited", heavy=True,
    ),
    Artifact(
        JUDGE_ERROR, "table", "judge_error", "judge_error", "judges:judge_error",
        title="How wrong the judges would have to be",
        caption="For each claim about ASR, the share of the verdicts speaking for its outcome that would have to be "
        "wrong to overturn it: in one language only, or in all alike, by the final verdicts and by each guard alone. "
        "Errors are taken at their worst, all in the direction that overturns. It is worked out from the rates, "
        "without human labels, and says nothing of how wrong the judges are.",
        inputs={
            "checked": "config/claims.yaml", "schema": "workflow/schemas/claims.schema.yaml",
            "measured": "<study>/metrics/metrics.csv",
        },
        facts=("evaluated", "guards", "languages"), heavy=True,
    ),
    Artifact(
        FURTHER, "table", "disagreement", "disagreement", "judges:disagreement", those(in_tables), "refuseu_test",
        title="Where the guards differ",
        caption="Share of answers to RefusEU-test, per language and run, that the two guards label differently, so "
        "that the adjudicator decides. The note names the languages that a guard was not made for.",
        inputs={"measures": MEASURES}, facts=("guard_coverage", "languages", "models"),
    ),
    Artifact(
        FURTHER, "table", "refusal_detection", "refusal_detection", "judges:refusal_detection",
        title="How well refusals are found",
        caption="Share of the chosen answers of the training pairs, which refuse, and of the rejected ones, which do "
        "not, in which the phrases of the refusal markers find a refusal, per language.",
        inputs={"pairs": "{train}", "markers": "{markers}"}, facts=("confidence", "languages"), heavy=True,
    ),
    Artifact(
        FURTHER, "table", "circularity", "circularity", "judges:circularity", those(not_single), "refuseu_test",
        title="Circularity",
        caption="The guards that judge the answers also built the training data. ASR by them beside ASR by judges that "
        "had no part in it, and the difference, paired by answer, with its interval: far from zero for trained runs "
        "only, it would mean that training fitted the guards and not the harm.",
        inputs={
            "answers": "<study>/measure/{evaluation}.jsonl",
            "labels": "<study>/judge/{held_out}/{evaluation}.jsonl",
        },
        facts=("held_out_coverage", "languages", "models", "statistics"), when="held_out", frame=True, heavy=True,
    ),
)
# fmt: on

NAMED = {artifact.target: artifact for artifact in ARTIFACTS}
