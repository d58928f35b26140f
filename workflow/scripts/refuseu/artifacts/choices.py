"""Choices of models: those that a table or figure shows."""

from collections.abc import Callable, Mapping, Sequence

from refuseu.analysis.runs import CONTROLS, Labels, Models, bases, is_aligned

TrainedOn = Mapping[str, Sequence[str]]  # run of plain DPO → codes of its training languages
Choice = Callable[[Models, TrainedOn], list[str]]

OPEN_QUESTION = ("abliterated", "balanced", "english_only", "english_only_mlc", *CONTROLS)


def in_open_question(model: Labels) -> bool:
    """The runs that the question which the papers leave open is about, and their base."""
    return bool(model["base"]) and model["variant"] in OPEN_QUESTION


def is_consistent(model: Labels) -> bool:
    """The runs with the consistency loss."""
    return model["method"].endswith("+mlc")


def those(wanted: Callable[[Labels], bool]) -> Choice:
    """The models with the wanted labels."""

    def of(models: Models, trained_on: TrainedOn) -> list[str]:
        return [model for model, labels in models.items() if wanted(labels)]

    return of


def aligned_on(number: int) -> Choice:
    """The aligned runs of one base, counted from 0; none if the study has fewer."""

    def of(models: Models, trained_on: TrainedOn) -> list[str]:
        base = bases(models)[number : number + 1]
        return [model for model, labels in models.items() if is_aligned(labels) and labels["base"] in base]

    return of


def on_one_language(models: Models, trained_on: TrainedOn) -> list[str]:
    """The runs of plain DPO on one language, and the bases they began from."""
    single = {model: models[model]["base"] for model, codes in trained_on.items() if len(codes) == 1}
    return [model for model in models if model in single or model in single.values()]
