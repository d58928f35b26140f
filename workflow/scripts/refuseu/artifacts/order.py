"""The order in which runs stand in tables and figures."""

from collections.abc import Callable, Mapping, Sequence

from refuseu.analysis.runs import Labels, Models, Run, bases
from refuseu.artifacts.names import VARIANTS
from refuseu.languages import Groups, members


def runs(models: Models, wanted: Callable[[Labels], bool] = bool) -> list[Run]:
    """(base, variant) of these models, or the wanted of them, seeds apart only: by base, then as in `VARIANTS`."""
    found = dict.fromkeys((model["base"], model["variant"]) for model in models.values() if wanted(model))
    order, known = [*bases(models), ""], list(VARIANTS)
    return sorted(found, key=lambda run: (order.index(run[0]), known.index(run[1]) if run[1] in known else 99))


def transfer_runs(models: Models, trained_on: Mapping[str, Sequence[str]], groups: Groups) -> list[Run]:
    """Runs trained on one language, by base and then as the languages stand, after their base itself.

    Parameters
    ----------
    trained_on : model → codes of its training languages
    """
    codes = members(groups)
    single = {
        (labels["base"], labels["variant"]): codes.index(trained_on[model][0])
        for model, labels in models.items()
        if len(trained_on.get(model, [])) == 1
    }
    of = {base: sorted((run for run in single if run[0] == base), key=single.__getitem__) for base in bases(models)}
    return [run for base in of if of[base] for run in [(base, "abliterated"), *of[base]]]
