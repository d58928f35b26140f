"""What tables and figures share: names, order, seeds averaged, published numbers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from refuseu.analysis.estimates import Groups, wilson_interval
from refuseu.analysis.metrics import COLUMNS, ESTIMATE, SCORES, join_csv
from refuseu.analysis.runs import SINGLE, Labels, Models, bases
from refuseu.languages import language, languages, members

Run = tuple[str, str]

# Order and names of the variants that the papers know; any other follows in the order of the sheet.
VARIANTS = {
    "instruct": "Instruct",
    "abliterated": "Abliterated",
    "balanced": "Balanced",
    "high_resource": "High-resource",
    "english_only": "English-only",
    "no_english": "No English",
    "english_only_mlc": "English-only + MLC",
}
METHODS = {"dpo": "DPO", "sft": "SFT", "orpo": "ORPO", "simpo": "SimPO", "mlc": "MLC"}
METRICS = {
    "asr": "ASR",
    "refusal_rate": "Refusal",
    "compliance_rate": "Compliance",
    "empty_rate": "Empty",
    "degenerate_rate": "Degenerate",
    "wrong_language_rate": "Wrong language",
    "true_refusal_share": "Refusals among safe",
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
    "n": "n",
    "asr_variance": "Variance of ASR",
    "pag": "PAG",
    "gpu_hours": "GPU-hours",
    "ppi": "PPI",
    "rogan_gladen": "Rogan–Gladen",
}
PILOT = ("language_consistency", "unsafe_rate")
PUBLISHED_BASES = ("8b", "70b")
CELL = ["base", "variant", "language", "value", "ci_low", "ci_high", "n", "seeds", "spread"]


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
        case "variant" if key.startswith(SINGLE):
            return f"{name('language', key.removeprefix(SINGLE))}-only"
        case "variant":
            return VARIANTS.get(key, " ".join(METHODS.get(word, word) for word in key.split("_")))
        case "metric" | "step" | "task" | "method":
            return METRICS.get(key, key.replace("_", " ").capitalize())
    return key


def runs(models: Models, wanted: Callable[[Labels], bool] = bool) -> list[Run]:
    """(base, variant) of these models, or the wanted of them, seeds apart only: by base, then as in `VARIANTS`."""
    found = dict.fromkeys((model["base"], model["variant"]) for model in models.values() if wanted(model))
    order, known = [*bases(models), ""], list(VARIANTS)
    return sorted(found, key=lambda run: (order.index(run[0]), (known.index(run[1]) if run[1] in known else 99)))


def transfer_runs(models: Models, trained_on: Mapping[str, list[str]], groups: Groups) -> list[Run]:
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


def scope_order(groups: Groups) -> list[tuple[str, str]]:
    """(group, language or group or ``all``): languages by group, each group closed by its average."""
    rows = [(group, scope) for group, codes in groups.items() for scope in [*codes, group]]
    return [*rows, ("all", "all")]


def read_metrics(*paths: str | Path) -> pd.DataFrame:
    """Measures or comparisons; labels are text, empty where they do not apply."""
    numbers = [*ESTIMATE, "p", "p_holm"]
    nothing = pd.DataFrame(columns=[*COLUMNS, "reference", "p", "p_holm"], dtype=str)
    frame = join_csv(paths) if paths else nothing
    return frame.assign(**{column: pd.to_numeric(frame[column]) for column in numbers if column in frame})


def published_names(ours: Sequence[str]) -> dict[str, str]:
    """The paper's name of a base → ours: the base of that name, or else our first and second."""
    pairs = zip(ours, PUBLISHED_BASES, strict=False)
    return {base if base in PUBLISHED_BASES else theirs: base for base, theirs in pairs}


def read_published(paths: Iterable[str | Path], models: Models) -> pd.DataFrame:
    """Published numbers as rows like those of ``metrics.csv``, percent as fractions.

    The paper's bases are called ``8b`` and ``70b``: they stand for this study's bases of that name, or
    else for its first and second.
    """
    frame = pd.concat([pd.read_csv(path, dtype=str, keep_default_na=False) for path in paths], ignore_index=True)
    value = pd.to_numeric(frame["value"]) / frame["unit"].map({"percent": 100}).fillna(1)
    names = published_names(bases(models))
    return frame.assign(value=value, base=frame["base"].map(lambda base: names.get(base, base)))


def cells(
    measured: pd.DataFrame,
    chosen: Iterable[Run],
    groups: Groups,
    published: pd.DataFrame | None = None,
    **where: str,
) -> pd.DataFrame:
    """One row per run and language, group or ``all``, in table order; empty where nothing was measured.

    Parameters
    ----------
    measured : rows of ``metrics.csv`` or ``comparisons.csv``
    chosen : (base, variant) to show
    published : what `read_published` returned
    where : values of columns, such as ``benchmark="rtp_lx", metric="asr"``

    Returns
    -------
    Columns `CELL` and group; with published numbers also those and what `beside_published` adds. Several
    seeds: value and interval are means over them, n is that of one run, and spread is the standard deviation.
    """
    keys = ["base", "variant", "language"]
    found = pick(measured, **where)
    by_run = found.groupby(keys)
    frame = by_run[ESTIMATE].mean().assign(seeds=by_run.size(), spread=by_run["value"].std()).reset_index()
    grid = pd.DataFrame(
        [(*run, scope, group) for run in chosen for group, scope in scope_order(groups)],
        columns=[*keys, "group"],
    )
    frame = grid.merge(frame, how="left", on=keys)
    frame = frame.assign(n=frame["n"].round().astype("Int64"), seeds=frame["seeds"].astype("Int64"))
    if published is None:
        return frame[[*CELL, "group"]]
    theirs = pick(published, **where)[[*keys, "value"]].rename(columns={"value": "published"})
    frame = frame.merge(theirs, how="left", on=keys)[[*CELL, "group", "published"]]
    return beside_published(frame)


def beside_published(frame: pd.DataFrame) -> pd.DataFrame:
    """Difference (value minus published) and whether the published value lies in the interval, where both exist."""
    inside = frame["published"].between(frame["ci_low"], frame["ci_high"]).astype("boolean")
    known = frame[["published", "value", "ci_low", "ci_high"]].notna().all(axis=1)
    return frame.assign(difference=frame["value"] - frame["published"], published_inside=inside.where(known))


def pick(frame: pd.DataFrame, **where: str) -> pd.DataFrame:
    """Rows with these values; over all categories unless one is asked for."""
    if "category" in frame and "category" not in where:
        where["category"] = "all"
    for column, value in where.items():
        frame = frame[frame[column] == value]
    return frame


def side_by_side(
    metrics: pd.DataFrame, chosen: Sequence[Run], groups: Groups, measures: Sequence[str], **where: str
) -> pd.DataFrame:
    """One row per run and language or average, one column per measure."""
    columns = {metric: cells(metrics, chosen, groups, metric=metric, **where)["value"] for metric in measures}
    grid = cells(metrics, chosen, groups, metric=measures[0], **where)
    return grid[["base", "variant", "group", "language"]].assign(**columns)


def fluency_changes(comparisons: pd.DataFrame, models: Models, groups: Groups) -> pd.DataFrame:
    """Change in fluency and correctness (column ``panel``) of these runs, in points."""
    return pd.concat(
        [
            cells(comparisons, runs(models), groups, metric=metric, reference="abliterated").assign(panel=metric)
            for metric in SCORES
        ]
    )


def knowledge_cells(
    metrics: pd.DataFrame, comparisons: pd.DataFrame, published: pd.DataFrame, models: Models, groups: Groups
) -> pd.DataFrame:
    """Accuracy of these models and its change (``change_``) from the abliterated base.

    After the languages of the study come those outside it, which are in no average.
    """
    known = {scope for _, scope in scope_order(groups)}
    beyond = [code for code in dict.fromkeys(metrics["language"]) if code not in known]

    def both(measured: pd.DataFrame, *beside: pd.DataFrame, **where: str) -> pd.DataFrame:
        inside, outside = (
            cells(measured, runs(models), part, *beside, metric="accuracy", **where)
            for part in (groups, {"elsewhere": beyond})
        )
        return pd.concat([inside, outside[outside["language"].isin(beyond)]], ignore_index=True)

    change = both(comparisons, reference="abliterated")[["value", "ci_low", "ci_high"]]
    return both(metrics, published).assign(**change.add_prefix("change_"))


def profile(harmful: pd.DataFrame, others: pd.DataFrame, models: Models, measures: Sequence[str]) -> pd.DataFrame:
    """Measures of these models over all languages, one row per model and measure.

    What answers to `harmful` requests cannot say (over-refusal, share of ratings) comes from `others`.
    """
    parts = []
    for metric in measures:
        source = others if metric in ("over_refusal_rate", "judged_share") else harmful
        parts.append(cells(source, runs(models), {}, metric=metric).assign(metric=metric))
    return pd.concat(parts).drop(columns="group")


def pilot_cells(
    measured: pd.DataFrame, generators: Sequence[str], groups: Groups, published: str | Path
) -> pd.DataFrame:
    """Rows of the pilot's table in its order; the paper's two generators stand for our first two."""
    theirs = read_published([published], {})
    names = dict(zip(dict.fromkeys(theirs["variant"]), generators, strict=False))
    theirs = theirs.assign(generator=theirs["variant"].map(names), published=theirs["value"])
    keys = ["generator", "language", "metric"]
    grid = pd.DataFrame(
        [(g, scope, metric) for _, scope in scope_order(groups) for g in generators for metric in PILOT],
        columns=keys,
    )
    frame = grid.merge(measured, how="left", on=keys).merge(theirs[[*keys, "published"]], how="left", on=keys)
    return beside_published(frame).assign(spread=float("nan"))


def judge_cells(accuracy: str | Path, groups: Groups, confidence: float) -> pd.DataFrame:
    """Held-out accuracy of each judge and task per language and pooled, then the guards' kappa.

    Parameters
    ----------
    accuracy : CSV with columns judge, task, language, correct, n, value; rows of kappa have no correct
    """
    keys = ["judge", "task", "language"]
    found = pd.read_csv(accuracy, keep_default_na=False, na_values={"correct": "", "value": ""})
    counts = found[found["correct"].notna()]
    pooled = counts.groupby(keys[:2], sort=False)[["correct", "n"]].sum().reset_index().assign(language="all")
    counts = pd.concat([counts, pooled], ignore_index=True)
    bounds = [wilson_interval(row.correct, row.n, confidence) for row in counts.itertuples()]
    counts[["ci_low", "ci_high"]] = bounds
    counts["value"] = counts["correct"] / counts["n"]
    found = pd.concat([counts, found[found["correct"].isna()]])[[*keys, *ESTIMATE]]
    scopes = pd.DataFrame({"language": [*members(groups), "all"]})
    grid = found[keys[:2]].drop_duplicates().merge(scopes, how="cross")
    return grid.merge(found, how="left", on=keys).assign(spread=float("nan"))


def agreement_cells(agreement: str | Path) -> pd.DataFrame:
    """Kappa, AC1 and raw agreement of each two judges per language, and the number of prompts."""
    found = read_metrics(agreement)
    found = found.assign(judges=found["judge_a"] + " × " + found["judge_b"], spread=float("nan"))
    nothing = {"ci_low": float("nan"), "ci_high": float("nan")}
    counts = found[found["metric"] == "agreement"].assign(metric="n", value=lambda rows: rows["n"], **nothing)
    order = {judges: place for place, judges in enumerate(found["judges"].unique())}
    frame = pd.concat([found, counts]).sort_values("judges", key=lambda names: names.map(order), kind="stable")
    return frame[["judges", "language", "metric", *ESTIMATE, "unparsed", "spread"]]


def funnel_cells(funnel: str | Path, published: str | Path, groups: Groups) -> pd.DataFrame:
    """Rows left after each step, per language and in total, beside the published ones."""
    codes = members(groups)
    ours = pd.read_csv(funnel, keep_default_na=False).rename(columns={"n": "value"})
    theirs = read_published([published], {}).rename(columns={"metric": "step", "value": "published"})
    keys, numbers = ["language", "step"], ["value", "published"]
    grid = pd.DataFrame([(code, step) for code in codes for step in dict.fromkeys(ours["step"])], columns=keys)
    frame = grid.merge(ours, how="left", on=keys).merge(theirs[[*keys, "published"]], how="left", on=keys)
    total = frame.groupby("step", sort=False)[numbers].sum(min_count=len(codes)).reset_index().assign(language="total")
    frame = pd.concat([frame, total], ignore_index=True)[[*keys, *numbers]]
    return frame.assign(difference=frame["value"] - frame["published"], spread=float("nan"))


def logs(paths: Iterable[str | Path], models: Models) -> pd.DataFrame:
    """Training logs below each other, with base, variant and seed; a file's folder is its model."""
    columns = ["epoch", "loss", "reward_margin", "reward_accuracy", "mlc_loss", "singular_share", "cosine"]
    labels = ["base", "variant", "seed"]
    parts = [
        pd.read_csv(path)
        .reindex(columns=["step", *columns])
        .assign(**{k: models[Path(path).parent.name][k] for k in labels})
        for path in paths
    ]
    frame = pd.concat(parts) if parts else pd.DataFrame(columns=["step", *columns, *labels])
    return frame[[*labels, "step", *columns]]


def published_cells(metrics: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Every published number with ours of the same run, language and measure beside it, where it was measured.

    Parameters
    ----------
    published : what `read_published` returned
    """
    keys = ["benchmark", "base", "variant", "language", "metric"]
    ours = pick(metrics).groupby(keys)[["value", "ci_low", "ci_high"]].mean().reset_index()
    theirs = published.rename(columns={"value": "published"})
    frame = beside_published(theirs.merge(ours, how="left", on=keys))
    return frame[[*keys, "published", "value", "ci_low", "ci_high", "difference", "published_inside", "source", "note"]]


def published_summary(cells: pd.DataFrame) -> pd.DataFrame:
    """Per run: how many numbers were recovered and measured, how many lie in our interval, and how far they are.

    Parameters
    ----------
    cells : what `published_cells` returned
    """
    rows = []
    for (benchmark, base, variant), part in cells.groupby(["benchmark", "base", "variant"], sort=False):
        both = part.dropna(subset=["difference"])
        found = {
            "recovered": part["published"].notna().sum(),
            "measured": len(both),
            "inside": both["published_inside"].sum(),
            "median_distance": both["difference"].abs().median() * 100,
        }
        run = {"benchmark": benchmark, "base": base, "variant": variant}
        rows += [run | {"metric": metric, "value": float(value)} for metric, value in found.items()]
    return pd.DataFrame(rows, columns=["benchmark", "base", "variant", "metric", "value"])
