"""The training, and the question that the papers leave open."""

from refuseu.analysis.runs import is_trained
from refuseu.artifacts.artifact import MEASURES, Artifact
from refuseu.artifacts.choices import in_open_question, is_consistent, those

TRAINING = "Training"
OPEN_QUESTION = "The open question"

# fmt: off
ARTIFACTS = (
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
        "to translate, and steps, tokens and GPU-hours of training from the manifests. The paired difference in ASR is "
        "among the claims. The papers leave this question open.",
        inputs={
            "measures": MEASURES, "manifests": "<study>/align/{trained}/manifest.json",
            "pairs": "{train}",
        },
        facts=("models", "kinds", "translated"), heavy=True,
    ),
    Artifact(
        OPEN_QUESTION, "figure", "open_question_figure", "open_question", "training:open_question_figure",
        title="English-only alignment with MLC against balanced alignment",
        caption="Left, what each run reaches over all languages, with intervals: ↓ less is better, ↑ more is better. "
        "Right, what its training costs, in percent of the run that costs most, whose cost is in brackets. Hollow: "
        "controls with as many pairs as English-only, or as many steps as balanced. Numbers are in the table of the "
        "same name.",
        inputs={"table": "<study>/tables/open_question.csv"}, facts=(),
    ),
    Artifact(
        OPEN_QUESTION, "table", "consistency", "consistency", "training:consistency", those(is_consistent),
        "refuseu_test", title="The consistency loss: collinearity and safety",
        caption="Runs with MLC by the settings of their loss: the mean cosine between the raw hidden states of a "
        "prompt in all languages, before and after training, beside ASR per language. Collinear states are what the "
        "loss asks for; whether safety follows them is the question.",
        inputs={
            "measures": MEASURES, "logs": "<study>/align/{trained}/log.csv",
            "manifests": "<study>/align/{trained}/manifest.json",
        },
        when="consistent",
    ),
)
# fmt: on
