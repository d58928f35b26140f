"""What alignment costs: knowledge, fluency, and answers in the right language."""

from refuseu.analysis.runs import in_tables, is_aligned, is_single, not_single
from refuseu.artifacts.artifact import COMPARISONS, MEASURES, Artifact
from refuseu.artifacts.choices import aligned_on, those

QUALITY = "Knowledge, fluency and language"

# fmt: off
ARTIFACTS = (
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
        "abliterated base to each aligned run, with intervals. Left of the line is a drop.",
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
        QUALITY, "figure", "fig8", "fig8_language_consistency_delta", "quality:fig8", those(is_aligned),
        "refuseu_test", title="Figure 8. Change in language consistency",
        caption="Points by which the share of answers in the language of the prompt, on RefusEU-test, changes from the "
        "abliterated base to each aligned run. Red: fewer answers in the right language.",
        inputs={"comparisons": COMPARISONS},
    ),
    Artifact(
        QUALITY, "figure", "transfer_consistency_figure", "transfer_consistency", "quality:fig8", those(is_single),
        "refuseu_test", title="Change in language consistency, runs on one language",
        caption="As Figure 8, for the runs trained on one language other than English.",
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
        QUALITY, "table", "identifiers_table", "identifiers", "quality:identifiers_table",
        title="Languages by several identifiers",
        caption="Share of texts that each identifier finds in their language. What is missing on bundled texts, whose "
        "language is certain, and on prompts is error of the identifier; how far identifiers differ on responses is "
        "how much of language consistency hangs on the choice of one.",
        inputs={"counts": "<study>/identifiers/identifiers.csv"}, facts=("languages",), when="asked",
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
)
# fmt: on
