"""All tables and figures, in the order of the report: what each shows, what it is made from, and who draws it.

Rules, targets, the report, Snakemake's own report and the counts in tests follow from these rows.
"""

from refuseu.artifacts.artifact import Artifact
from refuseu.artifacts.declared import dataset, judging, quality, safety, training

THE_STUDY = "The study"

# fmt: off
PAGES = (
    Artifact(
        THE_STUDY, "page", "report", "report", title="The whole study on one page",
        caption="What was run, the claims, and every table and figure beside the published numbers.",
    ),
    Artifact(
        THE_STUDY, "page", "claims", "claims", title="Claims",
        caption="Every finding of the papers as a test on our numbers and, where the published figures suffice, on "
        "those: held, not held, undecided or not tested, per base, with the numbers behind the verdict.",
    ),
)
# fmt: on
# Where docs/explanation says how what is in a section comes about.
METHODS = {
    THE_STUDY: "statistics.md#claims",
    dataset.THE_DATASET: "dataset.md",
    safety.SAFETY: "statistics.md#what-an-interval-is-about",
    quality.QUALITY: "statistics.md#what-an-interval-is-about",
    training.TRAINING: "training.md",
    training.OPEN_QUESTION: "training.md#the-controls-of-the-open-question",
    judging.JUDGE_ERROR: "statistics.md#when-the-judges-err",
    judging.FURTHER: "judging.md",
}

ARTIFACTS = (
    *PAGES, *dataset.ARTIFACTS, *safety.ARTIFACTS, *quality.ARTIFACTS, *training.ARTIFACTS, *judging.ARTIFACTS,
)  # fmt: skip
NAMED = {artifact.target: artifact for artifact in ARTIFACTS}
