"""What each table and figure shows: its rule asks for the measures of these models and no others."""

from collections.abc import Callable

from refuseu.analysis.runs import (
    OPEN_QUESTION,
    Labels,
    Models,
    bases,
    in_tables,
    is_aligned,
    is_open,
    is_trained,
    not_single,
    of_base,
    pairs,
)
from refuseu.study.study import Study

Choice = Callable[[Study], list[str]]


def those(wanted: Callable[[Labels], bool]) -> Choice:
    """The evaluated models with the wanted labels."""

    def of(study: Study) -> list[str]:
        return [model for model, labels in study.evaluated.items() if wanted(labels)]

    return of


def aligned_on(number: int) -> Choice:
    """The aligned runs of one base, counted from 0; none if the study has fewer."""

    def of(study: Study) -> list[str]:
        base = bases(study.evaluated)[number : number + 1]
        return [model for model in those(is_aligned)(study) if study.evaluated[model]["base"] in base]

    return of


def in_open_question(labels: Labels) -> bool:
    """The runs that the question which the papers leave open is about, and their base."""
    return bool(labels["base"]) and labels["variant"] in OPEN_QUESTION


def on_one_language(study: Study) -> list[str]:
    """The runs of plain DPO on one language, and the bases they began from."""
    trained = study.variants.items()
    single = {name: run.base for name, run in trained if len(run.languages) == 1 and run.method == "dpo"}
    return [model for model in study.evaluated if model in single or model in single.values()]


# Artifact: its models, and the benchmarks (or kinds of benchmarks) on which they are shown.
SHOWN: dict[str, tuple[Choice, str]] = {
    "table1": (those(in_tables), "refuseu_test"),
    "table2": (on_one_language, "refuseu_test"),
    "table3": (those(in_tables), "knowledge"),
    "table16": (those(is_open), "refuseu_test"),
    "rtp_lx": (those(in_tables), "rtp_lx"),
    "polyglotox": (those(in_tables), "polyglotox"),
    "outcomes_table": (those(not_single), "refuseu_test"),
    "over_refusal": (those(not_single), "benign"),  # a column of the outcomes table
    "judged_share": (those(not_single), "fluency"),  # another
    "disagreement": (those(in_tables), "refuseu_test"),
    "circularity": (those(not_single), "refuseu_test"),
    "open_question": (those(in_open_question), "refuseu_test knowledge fluency benign"),
    "fig3": (those(of_base), "refuseu_test"),
    "fig4": (those(in_tables), "refuseu_test"),
    "fig6": (aligned_on(0), "fluency"),
    "fig7": (aligned_on(0), "fluency"),
    "fig8": (those(is_trained), "refuseu_test"),
    "fig10": (aligned_on(1), "fluency"),
    "fig11": (aligned_on(1), "fluency"),
    "fig12": (those(is_open), "refuseu_test"),
    "confusion_figure": (those(not_single), "refuseu_test"),
}


def models(study: Study, artifact: str) -> Models:
    """The labels of the models that an artifact shows: of its choice those that are evaluated on what it shows."""
    choose, _ = SHOWN[artifact]
    evaluated = {model for benchmark in benchmarks(study, artifact) for model in study.models_on(benchmark)}
    return {model: study.evaluated[model] for model in choose(study) if model in evaluated}


def benchmarks(study: Study, artifact: str) -> list[str]:
    """The benchmarks on which it shows them."""
    _, wanted = SHOWN[artifact]
    return [name for name, benchmark in study.benchmarks.items() if {name, benchmark.kind} & set(wanted.split())]


def evaluations(study: Study, artifact: str) -> list[tuple[str, str]]:
    """(model, benchmark) of the measures that it shows."""
    chosen = models(study, artifact)
    return [(m, b) for b in benchmarks(study, artifact) for m in study.models_on(b) if m in chosen]


def comparisons(study: Study, artifact: str) -> list[tuple[str, str]]:
    """(base, benchmark) of the comparisons that it shows."""
    chosen = bases(models(study, artifact))
    return [(base, b) for base, b in all_comparisons(study) if base in chosen and b in benchmarks(study, artifact)]


def all_comparisons(study: Study) -> list[tuple[str, str]]:
    """(base, benchmark) on which there is a trained run and something to compare it with."""
    return [(base, b) for base in bases(study.evaluated) for b in study.benchmarks if compared(study, base, b)]


def compared(study: Study, base: str, benchmark: str) -> Models:
    """The labels of a base's runs on a benchmark that are compared, and of what they are compared with."""
    found = {m: study.evaluated[m] for m in study.models_on(benchmark) if study.evaluated[m]["base"] == base}
    used = {model for pair in pairs(found) for model in pair}
    return {model: labels for model, labels in found.items() if model in used}
