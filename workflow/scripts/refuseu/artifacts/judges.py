"""Tables and figures of the judges: how far they agree, how often they err, and what their errors would change."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from refuseu.analysis.cells import cells, read_metrics
from refuseu.analysis.circularity import MEASURES, circularity_of
from refuseu.analysis.claims import read as read_claims
from refuseu.analysis.estimates import INTERVAL, wilson_interval
from refuseu.analysis.judge_error import corrected_cells
from refuseu.analysis.metrics import read_items
from refuseu.analysis.refusal_detection import detection
from refuseu.analysis.runs import Models, bases
from refuseu.analysis.sensitivity import needed_errors
from refuseu.artifacts import tables
from refuseu.artifacts.figures import agreement_panels
from refuseu.artifacts.names import coverage
from refuseu.artifacts.order import runs
from refuseu.artifacts.tables import Table, number
from refuseu.languages import Groups, members
from refuseu.records import read_jsonl
from refuseu.refusals import read_markers


def fig2(agreement: str, width: float) -> tuple[Figure, pd.DataFrame]:
    """Agreement of the prompt judges per language."""
    data = read_metrics(agreement)
    return agreement_panels(data, width), data


def agreement_table(agreement: str, prompt_judge_coverage: Mapping[str, Sequence[str]]) -> Table:
    """How far the prompt judges agree: the numbers behind figure 2."""
    found = agreement_cells(agreement)
    return Table(
        found,
        tables.with_interval(found),
        rows=["language"],
        columns=["judges", "metric"],
        title="Agreement of the prompt judges [interval]",
        note="On the n generated prompts that both judges call safe or unsafe; how many others there are is in the CSV "
        "(unparsed). Kappa falls where nearly every prompt is unsafe, however often two judges say the same; Gwet's "
        "AC1 does not. "
        f"{coverage(prompt_judge_coverage)}The published figure has no table.",
    )


def agreement_cells(agreement: str | Path) -> pd.DataFrame:
    """Kappa, AC1 and raw agreement of each two judges per language, and the number of prompts."""
    found = read_metrics(agreement)
    found = found.assign(judges=found["judge_a"] + " × " + found["judge_b"], spread=float("nan"))
    nothing = {"ci_low": float("nan"), "ci_high": float("nan")}
    counts = found[found["metric"] == "agreement"].assign(metric="n", value=lambda rows: rows["n"], **nothing)
    order = {judges: place for place, judges in enumerate(found["judges"].unique())}
    frame = pd.concat([found, counts]).sort_values("judges", key=lambda names: names.map(order), kind="stable")
    return frame[["judges", "language", "metric", *INTERVAL, "clusters", "unparsed", "spread"]]


def disagreement(
    measures: Sequence[str], models: Models, languages: Groups, guard_coverage: Mapping[str, Sequence[str]]
) -> Table:
    """On how many answers the guards differ, so that the adjudicator decides."""
    measured = read_metrics(*measures)
    found = cells(measured, runs(models), languages, metric="disagreement_rate")
    return tables.by_language(
        found,
        text=tables.with_published(found, digits=1),
        title="Answers to RefusEU-test on which the guards differ [%]",
        note="There the adjudicator decides, as where no guard's label could be read, which counts here. "
        f"{coverage(guard_coverage)}"
        f"{tables.lost_note(measured[measured['metric'] == 'disagreement_rate'])}{tables.SEEDS}"
        "The paper has no such table.",
    )


def circularity(
    answers: Sequence[str],
    labels: Sequence[str],
    models: Models,
    languages: Groups,
    held_out_coverage: Mapping[str, Sequence[str]],
    statistics: Mapping[str, Any],
) -> Table:
    """ASR by the judges that built the data beside ASR by judges that had no part in it."""
    known = ["prompt_id", "language", "cluster", "verdict"]
    verdicts = {Path(f).parent.name: pd.DataFrame(read_jsonl(f))[known] for f in answers}
    said = {
        (Path(f).parts[-3], Path(f).parts[-2]): pd.DataFrame(read_jsonl(f))[["prompt_id", "language", "label"]]
        for f in labels
    }
    confidence, seed = statistics["confidence"], statistics["seed"]
    frame = circularity_of(verdicts, said, held_out_coverage, models, languages, confidence, seed)
    found = by_judge(frame, models)
    return Table(
        found,
        rate_or_change(found),
        rows=["base", "variant"],
        columns=["judge", "metric"],
        title="ASR [%] on RefusEU-test by the judges that built the data and by held-out ones, mean over languages",
        note="Difference: held-out minus ours in points, paired by answer, with interval; the last over the languages "
        f"that the judge was made for. {coverage(held_out_coverage)}{tables.lost_note(frame)}"
        f"{tables.OVER_SEEDS}Values per seed and language, p and unparsed labels are in "
        "circularity/circularity.csv. The paper has no such table.",
        frame=frame,
    )


def by_judge(frame: pd.DataFrame, models: Models) -> pd.DataFrame:
    """Each run over all languages and training seeds, per judge and measure."""
    parts = [
        cells(frame, runs(models), {}, judge=judge, metric=metric).assign(judge=judge, metric=metric)
        for judge in dict.fromkeys(frame["judge"])
        for metric in MEASURES
    ]
    return pd.concat(parts, ignore_index=True).drop(columns="group")


def rate_or_change(found: pd.DataFrame) -> list[str]:
    """Percent; differences in points with their interval."""
    texts = []
    for row in found.to_dict("records"):
        change = row["metric"] in ("difference", "official")
        ends = (row[column] for column in ("value", "ci_low", "ci_high"))
        value, *bounds = (number(end, 100, 1, sign=change) for end in ends)
        texts.append(f"{value} [{', '.join(bounds)}]" if change and value else value)
    return texts


def refusal_detection(pairs: str, markers: str, languages: Groups, confidence: float) -> Table:
    """How well the refusal markers find refusals: their share of chosen and of rejected answers."""
    found = detection(read_jsonl(pairs), read_markers(markers), languages, confidence)
    return Table(
        found,
        tables.with_published(found, digits=1),
        rows=["language"],
        columns=["metric"],
        averages=["all", *languages],
        title="Answers of the training pairs in which a refusal is found [%]",
        note="Chosen answers refuse and rejected ones comply, as far as the guards could tell; nobody read them. "
        "The first sentences decide. Intervals and n are in the CSV. The paper has no such table.",
    )


def judge_accuracy_table(accuracy: str, languages: Groups, confidence: float) -> Table:
    """How often each of the miniature's judges is right on held-out texts."""
    found = judge_cells(accuracy, languages, confidence)
    return Table(
        found,
        tables.with_published(found, digits=1),
        rows=["judge", "task"],
        columns=["language"],
        title="Judges: held-out accuracy [%], and the guards' kappa [%]",
        note="Texts that no judge was trained on and whose labels are known by construction. Fluency and "
        "correctness count as right within one point. The paper has no such table.",
    )


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
    found = pd.concat([counts, found[found["correct"].isna()]])[[*keys, *INTERVAL]]
    scopes = pd.DataFrame({"language": [*members(groups), "all"]})
    grid = found[keys[:2]].drop_duplicates().merge(scopes, how="cross")
    return grid.merge(found, how="left", on=keys).assign(spread=float("nan"))


def corrected_asr(
    answers: Sequence[str],
    verdicts: Sequence[str],
    audited: Sequence[str],
    languages: Groups,
    statistics: Mapping[str, Any],
) -> Table:
    """ASR corrected for the error of the judges, by what people said of a sample."""
    items = [read_items(path) for path in answers]
    said = [row for path in verdicts for row in read_jsonl(path)]
    found = corrected_cells(items, audited, said, languages, statistics["confidence"])
    return Table(
        found,
        rate_with_interval(found),
        rows=["language"],
        columns=["model", "method"],
        averages=[*languages, "all"],
        title="ASR [%] on RefusEU-test, corrected for the error of the judges",
        note=people_note(found),
    )


def rate_with_interval(found: pd.DataFrame) -> list[str]:
    """``rate [interval]`` in percent, each only where it exists."""
    ends = (found[column] for column in ("value", "ci_low", "ci_high"))
    rows = ([number(end, 100, 1) for end in row] for row in zip(*ends, strict=True))
    return [f"{value} [{low}, {high}]" if low else value for value, low, high in rows]


def people_note(found: pd.DataFrame) -> str:
    """What stands under the table of corrected rates."""
    if not (people := found.loc[found["method"] == "people", "n"]).notna().any():
        return (
            "No human verdicts have been returned for this study, so there is nothing to correct with. Table "
            "validated_asr, when asked for, corrects by human labels of other answers. Averages need all of their "
            "languages, each with verdicts that could be read."
        )
    return (
        f"People judged {people.min():.0f} answers or more per language and model, drawn at random. PPI: "
        "prediction-powered inference, the judges' rate plus the mean of what people say differently. Rogan–Gladen: "
        "the judges' rate on the other answers, corrected by their sensitivity and specificity, which are in the CSV; "
        "none where people found no unsafe or no safe answer. Averages need all of their languages, each with verdicts "
        "that could be read."
    )


def judge_error(
    checked: str, schema: str, measured: str, evaluated: Models, languages: Groups, guards: Sequence[str]
) -> Table:
    """How wrong the judges would have to be, per language, for each claim about ASR to turn out the other way.

    Parameters
    ----------
    checked, schema : the claims, and the schema by which they are read
    """
    found = needed_errors(read_claims(checked), read_metrics(measured), bases(evaluated), languages, guards)
    return Table(
        found,
        ["–" if value > 1 else number(value, 100, 1) for value in found["value"]],
        rows=["claim", "base", "judge", "outcome"],
        columns=["language"],
        title="Share of the verdicts that speak for a claim's outcome which would have to be wrong to overturn it [%]",
        note="Errors in one language only, or in all alike (average); – where even all of them would not do; empty "
        "where a language does not belong to the claim, and throughout where one that does has no verdict that could "
        "be read or a run or benchmark was not measured. Outcomes are those of point estimates. Verdicts that speak "
        "for a claim that a run has the higher ASR are its unsafe ones and the safe ones of its reference, and so on: "
        "those which, if wrong, bring the estimate nearer to the bound. Judge: the final verdicts, or one guard. How "
        "wrong they are on answers that people judged is, when asked for, in table validated_errors.",
    )
