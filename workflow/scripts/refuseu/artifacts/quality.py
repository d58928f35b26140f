"""Tables and figures of what alignment costs: knowledge, fluency, and answers in the right language."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from refuseu.analysis import confusion, identifiers
from refuseu.analysis.cells import cells, read_metrics, scope_order
from refuseu.analysis.metrics import SCORES
from refuseu.analysis.published import read_published
from refuseu.analysis.runs import Models
from refuseu.artifacts import tables
from refuseu.artifacts.figures import changes, heatmap
from refuseu.artifacts.order import runs
from refuseu.artifacts.tables import Table
from refuseu.languages import Groups

SHORT = {"language": {confusion.OTHER: "…", confusion.NONE: "–"}}


def table3(
    measures: Sequence[str], comparisons: Sequence[str], published: str, models: Models, languages: Groups
) -> Table:
    """Global MMLU accuracy and its change from the abliterated base."""
    beside = read_published([published], models)
    found = knowledge_cells(read_metrics(*measures), read_metrics(*comparisons), beside, models, languages)
    return tables.by_language(
        found,
        text=tables.with_change(found, scale=1, digits=3),
        title="Global MMLU accuracy [change from the abliterated base]",
        note="Changes are paired over the same questions. " + tables.SEEDS + tables.NOT_RECOVERED,
    )


def knowledge_cells(
    metrics: pd.DataFrame, comparisons: pd.DataFrame, published: pd.DataFrame, models: Models, groups: Groups
) -> pd.DataFrame:
    """Accuracy of these models and its change (``change_``) from the abliterated base.

    After the languages of the study come those outside it, which are in no average.
    """
    known = {scope for _, scope in scope_order(groups)}
    beyond = [code for code in dict.fromkeys(metrics["language"]) if code not in known]

    def both(measured: pd.DataFrame, beside: pd.DataFrame | None = None, **where: str) -> pd.DataFrame:
        inside, outside = (
            cells(measured, runs(models), part, beside, metric="accuracy", **where)
            for part in (groups, {"elsewhere": beyond})
        )
        return pd.concat([inside, outside[outside["language"].isin(beyond)]], ignore_index=True)

    change = both(comparisons, reference="abliterated")[["value", "ci_low", "ci_high"]]
    return both(metrics, published).assign(**change.add_prefix("change_"))


def fluency_by_run(
    comparisons: Sequence[str], models: Models, languages: Groups, width: float
) -> tuple[Figure, pd.DataFrame]:
    """Figures 6 and 10: change in fluency and correctness per run of a base."""
    data = fluency_changes(comparisons, models, languages)
    data = data[data["language"] == "all"]
    return changes(data, width), data


def fluency_by_language(
    comparisons: Sequence[str], models: Models, languages: Groups, width: float
) -> tuple[Figure, pd.DataFrame]:
    """Figures 7 and 11: change in fluency and correctness per language, runs of a base."""
    data = fluency_changes(comparisons, models, languages)
    return heatmap(data, width, scale=1, digits=2, delta=True), data


def fluency_changes(comparisons: Sequence[str], models: Models, languages: Groups) -> pd.DataFrame:
    """Change in fluency and correctness (column ``panel``) of these runs, in points."""
    found = read_metrics(*comparisons)
    return pd.concat(
        [
            cells(found, runs(models), languages, metric=metric, reference="abliterated").assign(panel=metric)
            for metric in SCORES
        ]
    )


def fig8(comparisons: Sequence[str], models: Models, languages: Groups, width: float) -> tuple[Figure, pd.DataFrame]:
    """Change in language consistency from the abliterated base to each aligned run."""
    where = {"metric": "language_consistency", "reference": "abliterated"}
    data = cells(read_metrics(*comparisons), runs(models), languages, None, **where)
    return heatmap(data, width, digits=1, delta=True), data


def confusion_figure(
    counts: str, languages: Groups, neighbours: Sequence[str], width: float
) -> tuple[Figure, pd.DataFrame]:
    """Which languages the identifier takes for each other."""
    data = confusion.cells(pd.read_csv(counts, keep_default_na=False), languages, neighbours)
    return heatmap(data.replace(SHORT), width, limit=100), data


def identifiers_table(counts: str, languages: Groups) -> Table:
    """Share of texts that each identifier finds in their language."""
    found = identifiers.cells(pd.read_csv(counts), languages)
    return Table(
        found,
        [tables.number(value, 100, 1) for value in found["value"]],
        rows=["language"],
        columns=["texts", "identifier"],
        averages=[*languages, "all"],
        title="Texts found in their language [%] by each identifier",
        note="Bundled: answers written for the miniature; prompts: of the outside benchmarks; responses: on "
        "RefusEU-test of all runs but those on a single language, and not all are in the language of the prompt. "
        "lingua chooses among the languages of the study and their neighbours, fastText (lid176: lid.176.ftz) among "
        "all that it knows. Averages are unweighted. The paper has no such table.",
    )
