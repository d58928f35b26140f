"""Tables and figures of the dataset: how it came about, and how good its judges and markers are."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from refuseu.analysis.annotations import read_rates
from refuseu.analysis.cells import scope_order
from refuseu.analysis.estimates import scopes
from refuseu.analysis.leakage import TEST, leakage_of
from refuseu.analysis.metrics import pilot
from refuseu.analysis.published import beside_published, read_published
from refuseu.artifacts import tables
from refuseu.artifacts.names import name
from refuseu.artifacts.tables import Table, number
from refuseu.languages import Groups, members
from refuseu.languages import languages as known_languages
from refuseu.records import read_jsonl

PILOT = ("language_consistency", "unsafe_rate")
UNPARSED = (
    "Unparsed: a guard's label could not be read, so that unsafe does not count the prompt; empty, as is every average "
    "over it, where it counts none. "
)
NO_SLOTS = "The released pairs carry no slot and the prompts no style, so that these columns are empty."


def funnel_table(funnel: str, test: str, published: str, languages: Groups) -> Table:
    """From generated prompts to train and test, step by step."""
    cells = funnel_cells(funnel, published, languages)
    slots = {(row["category"], row["slot"]) for row in read_jsonl(test)}
    each = Counter(category for category, _ in slots)
    return Table(
        cells,
        tables.with_published(cells, scale=1, digits=0),
        rows=["language"],
        columns=["step"],
        averages=["total"],
        title="Rows left after each step",
        note="The last row is the sum. Uncut: not ended by the longest length. Left out: pairs of the test's "
        "slots that the balanced test does not need. Trimmed: generated texts with something around the prompt. "
        f"The test rests on {len(slots)} slots, {min(each.values(), default=0)} to {max(each.values(), default=0)} per "
        "category. In brackets arXiv 2606.07535, section 4.2.",
    )


def test_slots(train: str, test: str) -> Table:
    """How many slots of each category feed the halves, and how many prompts of a language come from one of them."""
    halves = {half: pd.DataFrame(read_jsonl(path)) for half, path in (("train", train), ("test", test))}
    slots = {half: rows.reindex(columns=["category", "style", "slot", "language"]) for half, rows in halves.items()}
    own = slots["test"]
    rows = []
    for category in sorted(set(own["category"]), key=lambda name: (len(name), name)):
        part = own[own["category"] == category]
        from_one = part.groupby(["language", "slot"]).size()
        others = slots["train"][slots["train"]["category"] == category]
        found = {
            "test_slots": distinct(part["slot"]),
            "test_styles": distinct(part["style"]),
            "train_slots": distinct(others["slot"]),
            "most_of_one_slot": from_one.max(),
            "test_prompts": len(part),
        }
        rows += [[category, metric, float(value)] for metric, value in found.items()]
    cells = pd.DataFrame(rows, columns=["category", "metric", "value"])
    return Table(
        cells,
        [number(value, digits=0) for value in cells["value"]],
        rows=["category"],
        columns=["metric"],
        title="Slots of the test",
        note=f"{own['slot'].nunique()} slots in all. Prompts of one slot are one request, worded again and again in "
        "every language, so that slots, not prompts, are what rates on RefusEU-test rest on. Most of one slot: prompts "
        "in one language. " + ("A slot is never in both halves." if slots["train"]["slot"].notna().all() else NO_SLOTS),
    )


def distinct(values: pd.Series) -> float:
    """How many values there are; NaN where none is known."""
    known = values.replace("", None).dropna()
    return known.nunique() or float("nan")


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


def table6(
    prompts: Sequence[str],
    labels: Sequence[str],
    published: str,
    generators: Sequence[str],
    languages: Groups,
    statistics: Mapping[str, Any],
) -> Table:
    """The pilot's prompt generators: language consistency and unsafe rate."""
    cells = pilot_cells(pilot(prompts, labels, languages, statistics["confidence"]), generators, languages, published)
    unparsed = UNPARSED if "unparsed_rate" in set(cells["metric"]) else ""
    return Table(
        cells,
        tables.with_published(cells, digits=1),
        rows=["language"],
        columns=["generator", "metric"],
        averages=[*languages, "all"],
        title="Pilot: prompts in the asked-for language [%] and unsafe prompts [%] per generator",
        note=f"Unsafe: by all guards. {unparsed}In brackets arXiv 2606.07535, Table 6, where the first generator is "
        "Mistral-Small-24B-Instruct-2501, the second Llama-3.1-70B, and the judge was not recovered; the "
        "other eight languages were not published.",
    )


def pilot_cells(
    measured: pd.DataFrame, generators: Sequence[str], groups: Groups, published: str | Path
) -> pd.DataFrame:
    """Rows of the pilot's table in its order, unparsed ones where there are any; the paper's two generators stand for
    our first two."""
    theirs = read_published([published], {})
    names = dict(zip(dict.fromkeys(theirs["variant"]), generators, strict=False))
    theirs = theirs.assign(generator=theirs["variant"].map(names), published=theirs["value"])
    keys = ["generator", "language", "metric"]
    unparsed = measured.loc[measured["metric"] == "unparsed_rate", "value"]
    metrics = [*PILOT, "unparsed_rate"] if (unparsed > 0).any() else PILOT
    grid = pd.DataFrame(
        [(g, scope, metric) for _, scope in scope_order(groups) for g in generators for metric in metrics],
        columns=keys,
    )
    frame = grid.merge(measured, how="left", on=keys).merge(theirs[[*keys, "published"]], how="left", on=keys)
    return beside_published(frame).assign(spread=float("nan"))


def leakage(
    train: str, test: str, benchmarks: Sequence[str], codes: Sequence[str], near_duplicates: Mapping[str, Any]
) -> Table:
    """What the train half shares with the test half and with every benchmark."""
    tested = {TEST: read_jsonl(test)} | {Path(path).stem: read_jsonl(path) for path in benchmarks}
    cells = leakage_of(read_jsonl(train), tested, codes, **near_duplicates)
    near = "Near duplicate: exact, or Jaccard similarity of runs of {shingle} characters at least {threshold}"
    none = "Near duplicates were not looked for (dataset.near_duplicates.threshold is null)"
    unknown = cells.loc[cells["metric"] == "slot", "value"].isna().all()
    return Table(
        cells,
        found_of_asked(cells),
        rows=["language"],
        columns=["benchmark", "metric"],
        averages=["total"],
        title="Prompts of the test half and of the benchmarks that occur in the train half: number/prompts (share [%])",
        note="Within each language. Exact: equal but for case and blanks. "
        + (none if near_duplicates["threshold"] is None else near.format(**near_duplicates))
        + ". Slot: the style and category (and activity, where the split goes by it) of the prompt. "
        + ("The released test prompts carry no slot, so that column is empty. " if unknown else "")
        + "Empty: the benchmark has no prompts in the language. A share of known texts: no interval.",
    )


def found_of_asked(cells: pd.DataFrame) -> list[str]:
    """``count/n (percent)`` per cell, ``0/n`` for none; empty where there is no measure."""
    rows = zip(cells["count"], cells["n"], cells["value"], strict=True)
    shares = ((f"{count}/{n}", value) for count, n, value in rows)
    return ["" if pd.isna(value) else f"{part} ({100 * value:.1f})" if value else part for part, value in shares]


def table8(audit: Sequence[str], published: str, languages: Groups) -> Table:
    """The manual audit per language, beside the published lowest and highest rate."""
    ours = read_rates(audit)
    cells = audit_cells(ours, pd.read_csv(published, keep_default_na=False), languages)
    return Table(
        cells,
        rates_with_agreement(cells),
        rows=["language"],
        columns=["metric"],
        averages=[*languages, "all"],
        title="Manual audit: share of samples [%] that pass",
        note=f"{annotators_note(ours)} In brackets arXiv 2606.07535, Appendix C.2 and Table 8: "
        "1,200 samples, 100 per language.",
    )


def audit_cells(audit: pd.DataFrame, published: pd.DataFrame, languages: Groups) -> pd.DataFrame:
    """Cells of the audit's table: languages and averages that have a rate, then lowest and highest language.

    Parameters
    ----------
    audit : what `annotations.read_rates` returned
    published : columns metric, language (``lowest`` or ``highest``), value in percent, source and note
    """
    ours = audit[audit["question"] != "verdict"].rename(columns={"question": "metric"}).drop(columns="model")
    order = [scope for _, scope in scope_order(languages)]
    ours = ours.sort_values("language", key=lambda column: column.map(order.index), kind="stable")
    rates = ours[ours["language"].isin(scopes(languages)["all"])].groupby("metric")["value"]
    ends = {"lowest": rates.min(), "highest": rates.max()}
    theirs = published[["metric", "language", "source", "note"]].assign(
        value=[
            ends[end].get(metric, float("nan"))
            for metric, end in zip(published["metric"], published["language"], strict=True)
        ],
        published=published["value"] / 100,
    )
    return pd.concat([ours, theirs], ignore_index=True)


def rates_with_agreement(cells: pd.DataFrame) -> list[str]:
    """``rate [interval], α agreement (published)``, in percent but for α, each part only where it exists."""
    texts = []
    for row in cells.to_dict("records"):
        low, high, alpha = number(row["ci_low"], 100, 1), number(row["ci_high"], 100, 1), number(row["alpha"])
        published = number(row["published"], 100, 0)
        texts.append(
            (number(row["value"], 100, 1) or "–")
            + (f" [{low}, {high}]" if low else "")
            + (f", α {alpha}" if alpha else "")
            + (f" ({published})" if published else "")
        )
    return texts


def annotators_note(audit: pd.DataFrame) -> str:
    """What stands under the audit's table about our cells."""
    pairs = audit[(audit["question"] != "verdict") & (audit["language"] == "all")]
    if pairs.empty:
        return "No annotation sheets have been returned for this study, so our cells are empty (–)."
    returned = [name("language", code) for code in dict.fromkeys(audit["language"]) if code in known_languages()]
    return (
        "Share of pairs, drawn at random, with the answer yes, with its interval; α is Krippendorff's, where pairs "
        f"have several answers that are not all the same. Annotators: {pairs['annotators'].max()}. Averages "
        f"are over the languages with returned sheets ({', '.join(returned)}), on which {pairs['missing'].sum()} "
        f"questions have no answer and are left out; {pairs['unsure'].sum()} answers are unsure and count as not yes."
    )
