"""The dataset: how it came about, and how good its judges are."""

from refuseu.artifacts.artifact import Artifact

THE_DATASET = "The dataset"

# fmt: off
ARTIFACTS = (
    Artifact(
        THE_DATASET, "table", "funnel_table", "funnel", "dataset:funnel_table", title="From prompts to pairs",
        caption="How many rows per language are left after each step of the construction of the dataset. Pairs are "
        "train, test or left out. In brackets the published sizes of the two halves.",
        inputs={"funnel": "<study>/funnel/funnel.csv", "test": "<study>/split_pairs/test.jsonl"},
        published=("funnel",), facts=("languages",), when="built",
    ),
    Artifact(
        THE_DATASET, "table", "test_slots", "test_slots", "dataset:test_slots", title="Slots of the test",
        caption="How many slots (of category and style) of each category feed the test and the train half, and how "
        "many prompts of one language come from the same slot at most. Intervals on RefusEU-test rest on the slots.",
        inputs={"train": "{train}", "test": "{test}"}, facts=(), heavy=True,
    ),
    Artifact(
        THE_DATASET, "table", "table6", "table6_pilot", "dataset:table6",
        title="Table 6. Pilot of the prompt generators",
        caption="Share of prompts in the language asked for, and share that all guards call unsafe, in percent, for "
        "each candidate generator and language. In brackets the published values of the paper's two generators, for "
        "the four languages that the paper publishes; they stand beside ours by position.",
        inputs={
            "prompts": "<study>/generate_prompts/pilot/{pilot}.jsonl",
            "labels": "<study>/label_prompts/pilot/{guard}.jsonl",
        },
        published=("table6_pilot",), facts=("generators", "languages", "statistics"), when="built", heavy=True,
    ),
    Artifact(
        THE_DATASET, "figure", "fig2", "fig2_kappa", "judges:fig2", method="judging.md",
        title="Figure 2. Agreement of the judges",
        caption="Cohen's kappa (full) and Gwet's AC1 (hollow) between each two judges of the prompts, per language, "
        "with intervals of a bootstrap over slots. Most prompts are unsafe, which depresses kappa but hardly AC1.",
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
        facts=("codes", "near_duplicates"), heavy=True, words=True,
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
)
# fmt: on
