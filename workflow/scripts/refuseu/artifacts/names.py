"""What a reader sees for the keys of the study."""

from collections.abc import Mapping, Sequence

from refuseu.analysis.runs import SINGLE
from refuseu.languages import language, languages

# The variants that the papers know, in their order; any other follows in the order of the sheet.
VARIANTS = {
    "instruct": "Instruct",
    "abliterated": "Abliterated",
    "balanced": "Balanced",
    "high_resource": "High-resource",
    "english_only": "English-only",
    "no_english": "No English",
    "english_only_mlc": "English-only + MLC",
}
# Controls of the open question: as many pairs as English-only, as many steps as balanced.
CONTROLS = {"balanced_small": "Balanced, few pairs", "english_only_long": "English-only, many steps"}
METHODS = {"dpo": "DPO", "sft": "SFT", "orpo": "ORPO", "simpo": "SimPO", "mlc": "MLC"}
METRICS = {
    "asr": "ASR",
    "refusal_rate": "Refusal",
    "compliance_rate": "Compliance",
    "empty_rate": "Empty",
    "degenerate_rate": "Degenerate",
    "wrong_language_rate": "Wrong language",
    "cut_rate": "Cut",
    "true_refusal_share": "Refusals among safe",
    "refusal_disagreement_rate": "Guard and markers differ",
    "over_refusal_rate": "Over-refusal",
    "unparsed_rate": "Unparsed",
    "disagreement_rate": "Guards differ",
    "judged_share": "Fluency rated",
    "language_consistency": "Language consistency",
    "unsafe_rate": "Unsafe",
    "held_out_asr": "Held-out ASR",
    "official": "Difference, its languages",
    "refusals_found": "Found among chosen answers",
    "false_refusals": "Found among rejected answers",
    "ac1": "AC1",
    "auc": "AUC",
    "unsafe_alone": "Unsafe, alone",
    "unsafe_with_prompt": "Unsafe, with prompt",
    "n": "n",
    "asr_variance": "Variance of ASR",
    "pag": "PAG",
    "gpu_hours": "GPU-hours",
    "ppi": "PPI",
    "rogan_gladen": "Rogan–Gladen",
}
# What answers are, in the order of the table.
OUTCOMES = (
    "asr", "refusal_rate", "compliance_rate", "empty_rate", "degenerate_rate", "wrong_language_rate", "cut_rate",
    "true_refusal_share", "refusal_disagreement_rate", "over_refusal_rate", "unparsed_rate", "disagreement_rate",
    "judged_share",
)  # fmt: skip


def name(kind: str, key: str) -> str:
    """What a reader sees for a language or group, a variant, or a measure."""
    match kind:
        case "language" if key in languages():
            return language(key).name
        case "language" if key in ("all", "total", "lowest", "highest"):
            return "Average" if key == "all" else key.capitalize()
        case "language":
            return f"{name('group', key)} average"
        case "group":
            return key.replace("_", "-").capitalize()
        case "variant":
            return variant(key)
        case "category" | "style":
            return "Average" if key == "all" else key.replace("_", " ")
        case "metric" | "step" | "task" | "method":
            return METRICS.get(key, key.replace("_", " ").capitalize())
    return key


def variant(key: str) -> str:
    """What a reader sees for a variant."""
    if key.startswith(SINGLE):
        return f"{name('language', key.removeprefix(SINGLE))}-only"
    return (VARIANTS | CONTROLS).get(key) or " ".join(METHODS.get(word, word) for word in key.split("_"))


def run_name(base: str, variant: str, seed: str | int = "") -> str:
    """What a reader sees for a run, in a sentence."""
    about = ", ".join(filter(None, (base, f"seed {seed}" if seed != "" else "")))
    return f"{name('variant', variant)} ({about})" if about else name("variant", variant)


def coverage(judges: Mapping[str, Sequence[str]]) -> str:
    """A sentence for each judge that does not officially cover all languages, each followed by a blank.

    Parameters
    ----------
    judges : name → languages of the study that it was not made for
    """
    return "".join(
        f"Not among the languages that {judge} was made for: {', '.join(language(code).name for code in outside)}. "
        for judge, outside in judges.items()
        if outside
    )
