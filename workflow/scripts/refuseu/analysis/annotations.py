"""What annotators of the manual audit said: rates with intervals, and how far the annotators agree."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from refuseu.analysis.dependence import slots_of_items
from refuseu.analysis.estimates import INTERVAL, RATE, estimates, scopes
from refuseu.languages import Groups
from refuseu.records import Record

COLUMNS = ["question", "model", "language", *INTERVAL, "clusters", "unsure", "missing", "annotators", "alpha"]


def rates(
    answers: pd.DataFrame,
    key: Iterable[Record],
    counted: Mapping[str, str],
    languages: Groups,
    confidence: float,
) -> pd.DataFrame:
    """Rates with intervals and agreement, per question (and model) and language, group and ``all``.

    The value is the share of items with the counted answer to the question; where several annotated an item, it
    counts with their share, once. An ``unsure`` is not that answer.

    Parameters
    ----------
    answers : columns language, item, model, annotator, question and answer
    key : what the ids of the items stand for, with the questions that were asked of each
    counted : question → the answer that its rate counts

    Returns
    -------
    Columns `COLUMNS`: `n` items with an answer, `missing` items without, in the languages that returned something;
    `unsure` answers; `alpha` is Krippendorff's, NaN where it is not defined.
    """
    key = list(key)
    slots = slots_of_items(key)
    asked = pd.DataFrame([{**row, "question": question} for row in key for question in row["questions"]])
    rows = []
    for question, passing in counted.items():
        for model, given in answers[answers["question"] == question].groupby("model", sort=False):
            given = given.assign(passed=given["answer"] == passing)
            sample = given.groupby(["language", "item"])["passed"].mean().reset_index()
            sample = sample.assign(cluster=sample["item"].map(slots))
            of = asked[(asked["question"] == question) & (asked["model"] == model)]
            for scope, estimate in estimates(sample, "passed", languages, RATE, confidence):
                present = set(scopes(languages)[scope]) & set(answers["language"])
                own = given[given["language"].isin(present)]
                counts = {
                    "unsure": int((own["answer"] == "unsure").sum()),
                    "missing": int(of["language"].isin(present).sum()) - estimate["n"],
                    "annotators": own["annotator"].str.casefold().nunique(),
                }
                place = {"question": question, "model": model, "language": scope}
                rows.append(place | estimate | counts | {"alpha": alpha(own)})
    return pd.DataFrame(rows, columns=COLUMNS)


def alpha(answers: pd.DataFrame) -> float:
    """Krippendorff's alpha of nominal answers, ``unsure`` one of them.

    Krippendorff (2019), Content Analysis, chapter 12. NaN where no item has two answers, or all are the same.

    Parameters
    ----------
    answers : columns annotator, item and answer
    """
    import krippendorff

    coded = answers.assign(code=pd.factorize(answers["answer"])[0], who=answers["annotator"].str.casefold())
    table = coded.pivot(index="who", columns="item", values="code").to_numpy(float)
    table = table[:, (table == table).sum(0) > 1]
    if len(set(table[table == table])) < 2:
        return float("nan")
    return float(krippendorff.alpha(reliability_data=table, level_of_measurement="nominal"))


def read_rates(paths: Sequence[str | Path]) -> pd.DataFrame:
    """What `rates` returned, from its one file; no rows where there is none."""
    return pd.read_csv(paths[0]) if paths else pd.DataFrame(columns=COLUMNS, dtype=float)
