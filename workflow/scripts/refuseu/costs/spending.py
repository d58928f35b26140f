"""What the journals of a study hold and how they were used: records, hits, misses, tokens, characters, money."""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from refuseu.errors import UserError
from refuseu.markdown import pipe_table
from refuseu.records import Record
from refuseu.schemas import check, load_schema, read_tsv

MILLION = 1_000_000
COLUMNS = (
    "stage", "model", "journals", "records", "hits", "misses", "dropped", "unfinished", "prompt_tokens",
    "completion_tokens", "characters", "seconds", "money", "currency",
)  # fmt: skip


@dataclass(frozen=True)
class Use:
    """One asking of a journal.

    Attributes
    ----------
    who : id of the model that was to answer; empty in journals without an account
    known : records that the journal held before
    hits, misses : requests with and without a record
    dropped : broken records that were cut off (a kill leaves one)
    seconds : until all misses were answered, the loading of the model included; None if that never came
    """

    who: str = ""
    known: int = 0
    hits: int = 0
    misses: int = 0
    dropped: int = 0
    seconds: float | None = None

    @property
    def unfinished(self) -> bool:
        """Whether a kill or an error came before all misses were answered."""
        return self.misses > 0 and self.seconds is None


class Prices:
    """What things cost (``resources/plan/prices.tsv``); a price that is not known stays unknown.

    Raises
    ------
    UserError
        If a row does not fit or the currencies differ.
    """

    def __init__(self, path: str | Path):
        rows = read_rows(path, "prices")
        self.of: dict[tuple[str, str], float | None] = {(row["of"], row["unit"]): row["price"] for row in rows}
        found = sorted({row["currency"] for row in rows})
        if len(found) > 1:
            raise UserError(f"{path} has prices in {' and '.join(found)}, which cannot be added; convert them to one")
        self.currency = found[0] if found else ""

    def tokens(self, repository: str, read: float, written: float) -> float | None:
        """Price of tokens that a model behind an API reads and writes."""
        reading, writing = (self.of.get((repository, f"million tokens {way}")) for way in ("read", "written"))
        return None if reading is None or writing is None else (read * reading + written * writing) / MILLION

    def characters(self, number: float) -> float | None:
        """Price of characters that DeepL translates."""
        price = self.of.get(("deepl", "million characters"))
        return None if price is None else number * price / MILLION

    def gpu_hours(self, number: float) -> float | None:
        """Price of GPU time."""
        price = self.of.get(("gpu", "GPU-hour"))
        return None if price is None else number * price


def read_rows(path: str | Path, schema: str) -> list[dict[str, Any]]:
    """Rows of a table of ``resources/plan``: two columns name a row, the third is its number, None if empty.

    Raises
    ------
    UserError
        If a row does not fit the schema or occurs twice.
    """
    columns = list(load_schema(schema)["properties"])
    keys, number = columns[:2], columns[2]
    rows, seen = [], set()
    for line, row in enumerate(read_tsv(path, columns), start=2):
        check(row, schema, f"{path}, line {line}")
        key = tuple(row[k] for k in keys)
        if key in seen:
            raise UserError(f"{path}, line {line}: {' and '.join(key)} occur twice; remove one row")
        seen.add(key)
        rows.append(row | {number: float(row[number]) if row[number] else None})
    return rows


def uses(journal: Path) -> list[Use]:
    """The askings of a journal; none if it has no account."""
    account = journal.with_suffix(".uses")
    if not account.exists():
        return []
    found: list[Use] = []
    for line in account.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            facts = json.loads(line)
        except ValueError:
            continue  # a kill cut it
        if "who" in facts:
            found.append(Use(**facts))
        elif found:
            found[-1] = Use(**vars(found[-1]) | {"seconds": facts["seconds"]})
    return found


def records(journal: Path) -> Iterator[tuple[str, Record]]:
    """Who gave it, and the answer, for each whole record of a journal."""
    if not journal.exists():
        return
    starts = [(use.known, use.who) for use in uses(journal)]
    with open(journal, "rb") as lines:
        number = 0
        for line in lines:
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict) and "key" in record:
                yield next((who for known, who in reversed(starts) if known <= number), ""), record
                number += 1


def held(journal: Path, who: str) -> int:
    """Records of a journal that this model gave, or nobody says who."""
    return sum(giver in (who, "") for giver, _ in records(journal))


def report(folder: str | Path, models: Mapping[str, Mapping[str, str]], prices: Prices) -> list[Record]:
    """One row per stage and model.

    Parameters
    ----------
    folder : the study's journals
    models : id → its ``repository`` and ``backend``

    Returns
    -------
    list
        Records with the keys `COLUMNS`. None is what is not known: the use of a journal without an account, and
        the money of a model that is no longer in the study or has no price.
    """
    used = ("hits", "misses", "dropped", "unfinished", "seconds")
    rows: dict[tuple[str, str], Record] = defaultdict(
        lambda: dict.fromkeys(COLUMNS[2:-2], 0) | dict.fromkeys(used, None)
    )
    paths = [path for path in sorted(Path(folder).rglob("*.jsonl")) if not path.name.startswith(".")]
    for path in paths:
        stage, met = path.relative_to(folder).parts[0], set()
        for who, record in records(path):
            row = rows[stage, who]
            met.add(who)
            row["records"] += 1
            row["prompt_tokens"] += record.get("prompt_tokens", 0)
            row["completion_tokens"] += record.get("completion_tokens", 0)
            if who == "deepl":
                row["characters"] = plus(row["characters"], record.get("characters"))
        for use in uses(path):
            row = rows[stage, use.who]
            met.add(use.who)
            for key in used:
                if (more := getattr(use, key)) is not None:
                    row[key] = (row[key] or 0) + more
        for who in met:
            rows[stage, who]["journals"] += 1
    return [
        {"stage": stage, "model": who} | row | {"money": cost(who, row, models, prices), "currency": prices.currency}
        for (stage, who), row in sorted(rows.items())
    ]


def cost(who: str, row: Record, models: Mapping[str, Mapping[str, str]], prices: Prices) -> float | None:
    """What an API was paid for these records; 0 for models that run here."""
    if who == "deepl":
        return None if row["characters"] is None else prices.characters(row["characters"])
    if who not in models:
        return None
    if models[who]["backend"] != "openai":
        return 0.0
    return prices.tokens(models[who]["repository"], row["prompt_tokens"], row["completion_tokens"])


def plus(total: float | None, more: float | None) -> float | None:
    """A sum that is unknown as soon as a part of it is."""
    return None if total is None or more is None else total + more


def as_csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Rows as CSV; what is not known is an empty cell."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()} for row in rows)
    return out.getvalue()


def figure(value: float | None) -> str:
    """A figure for a cell: counts whole, others to two digits; ``?`` if it is not known."""
    if value is None:
        return "?"
    return f"{value:,.0f}" if value == int(value) or value >= 1000 else f"{value:,.2f}"


def page(study: str, rows: Sequence[Record], asked: str) -> str:
    """The report as Markdown."""
    columns = [column for column in COLUMNS if column != "currency"]
    total: Record = {"stage": "all", "model": ""}
    for column in columns[2:]:
        known = [row[column] for row in rows if row[column] is not None]
        total[column] = sum(known) if known or not rows else None
    cells = [[*(str(row[c]) or "?" for c in ("stage", "model")), *(figure(row[c]) for c in columns[2:])]
             for row in [*rows, total]]  # fmt: skip
    cells[-1][1] = ""
    currency = rows[0]["currency"] if rows else ""
    header = [f"money [{currency}]" if column == "money" else column.replace("_", " ") for column in columns]
    return (
        f"# What the journals of study {study} hold\n\nRead on {asked[:16]}.\n\n"
        + (pipe_table(header, cells, 2) if rows else "There are no journals yet.\n")
        + "\nA *hit* is a request whose answer the journal held, a *miss* one that had to be asked; a miss that was "
        "not answered before a job was cut is a miss again in the next run. *Dropped* are records that a kill had cut, "
        "*unfinished* are askings that ended before all their misses were answered. *Seconds* are those of finished "
        "askings, with the loading of the model. `?` is what is not known: who answered in journals without an "
        "account, the money of models without a price. Sums leave it out.\n"
    )
