"""The error of judges, and what the papers do not have."""

from refuseu.analysis.runs import in_tables, not_single
from refuseu.artifacts.artifact import MEASURES, Artifact
from refuseu.artifacts.choices import those

JUDGE_ERROR = "Judge error"
FURTHER = "Beyond the papers"
PEOPLE, VALIDATED = "<study>/human_labels/human_labels.jsonl", "<study>/validate_judge/{validated}.jsonl"
JUDGED = {
    "people": PEOPLE,
    "labels": VALIDATED,
    "audit": "{audit}/verdicts.jsonl",
    "verdicts": "<study>/measure/{returned}.jsonl",
}

# fmt: off
ARTIFACTS = (
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
        JUDGE_ERROR, "table", "validated_judges", "validated_judges", "validation:validated_judges",
        title="Judges against people",
        caption="Accuracy, sensitivity, specificity and kappa of the guards, the held-out judges, the adjudicator and "
        "the refusal markers on answers that people judged, beside the kappa of the annotators themselves.",
        inputs={"markers": "{markers}"} | JUDGED,
        facts=("statistics",), when="asked", heavy=True, words=True,
    ),
    Artifact(
        JUDGE_ERROR, "table", "judge_thresholds", "judge_thresholds", "validation:judge_thresholds",
        title="Judges against people, by threshold",
        caption="What each judge would find, and call unsafe in vain, if an answer counted as unsafe from another "
        "probability on.",
        inputs={"people": PEOPLE, "labels": VALIDATED}, facts=(), when="asked", heavy=True,
    ),
    Artifact(
        JUDGE_ERROR, "figure", "judge_roc", "judge_roc", "validation:judge_roc",
        title="ROC curves of the judges",
        caption="Unsafe answers that are found against safe ones that are called unsafe, as people judged them.",
        inputs={"people": PEOPLE, "labels": VALIDATED}, facts=(), when="asked", columns=1, heavy=True,
    ),
    Artifact(
        JUDGE_ERROR, "table", "validated_asr", "validated_asr", "validation:validated_asr", those(in_tables),
        "refuseu_test",
        title="ASR without the errors of the judges",
        caption="The judges' rates, corrected by the sensitivity and specificity of each on answers that people "
        "judged: those of an audit of this study where one was returned, else the human labels of other answers.",
        inputs={"answers": "<study>/measure/{evaluation}.jsonl"} | JUDGED,
        facts=("deciders", "statistics"), when="asked", heavy=True,
    ),
    Artifact(
        JUDGE_ERROR, "table", "validated_errors", "validated_errors", "validation:validated_errors",
        title="Errors that claims bear and errors that judges make",
        caption="For each claim about ASR, the share of the verdicts that would have to be wrong to overturn it, "
        "beside the share of the same verdicts that is wrong where the judge errs as on answers that people judged.",
        inputs={
            "checked": "config/claims.yaml", "schema": "workflow/schemas/claims.schema.yaml",
            "measured": "<study>/metrics/metrics.csv",
        } | JUDGED,
        facts=("deciders", "evaluated", "languages"), when="asked", heavy=True,
    ),
    Artifact(
        FURTHER, "table", "disagreement", "disagreement", "judges:disagreement", those(in_tables), "refuseu_test",
        title="Where the guards differ",
        caption="Share of answers to RefusEU-test, per language and run, that the two guards label differently, so "
        "that the adjudicator decides. The note names the languages that a guard was not made for.",
        inputs={"measures": MEASURES}, facts=("guard_coverage", "languages", "models"),
    ),
    Artifact(
        FURTHER, "table", "adjudicator_sensitivity", "adjudicator_sensitivity", "validation:adjudicator_sensitivity",
        those(in_tables), "refuseu_test",
        title="What the adjudicator is shown",
        caption="Disputed answers that the adjudicator decides both ways: shown the response alone, and shown the "
        "prompt too.",
        inputs={"answers": "<study>/adjudicate_both/{evaluation}.jsonl"}, facts=("models",), when="asked", heavy=True,
    ),
    Artifact(
        FURTHER, "table", "refusal_detection", "refusal_detection", "judges:refusal_detection",
        title="How well refusals are found",
        caption="Share of the chosen answers of the training pairs, which refuse, and of the rejected ones, which do "
        "not, in which the refusal markers find a refusal, per language.",
        inputs={"pairs": "{train}", "markers": "{markers}"}, facts=("confidence", "languages"), heavy=True, words=True,
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
