"""Tables: a tidy frame becomes CSV to compute with, Markdown to read and LaTeX to print."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

import pandas as pd

from refuseu import safe
from refuseu.analysis.cells import pick
from refuseu.analysis.metrics import write_csv
from refuseu.artifacts.names import name, run_name
from refuseu.languages import languages
from refuseu.markdown import pipe_table
from refuseu.records import write_text

SEEDS = "Where a variant was trained with several seeds: mean ± standard deviation over them. "
OVER_SEEDS = "Runs with several seeds: over these. "
NOT_RECOVERED = "The published table was not recovered."


@dataclass(frozen=True)
class Table:
    """A table: its tidy cells, and how they stand on the page.

    Attributes
    ----------
    cells : one row per cell; the columns `rows` and `columns` say where it stands
    text : what is printed in each cell
    rows, columns : the keys of the row and column heads
    note : one or two sentences under the table; ends with its source
    averages : keys in the last row level that are averages, not languages
    frame : all values, where the cells are averages or counts of them
    """

    cells: pd.DataFrame
    text: Iterable[str]
    rows: Sequence[str]
    columns: Sequence[str]
    title: str
    note: str
    averages: Iterable[str] = ()
    frame: pd.DataFrame | None = None


@dataclass(frozen=True)
class Page:
    """A table as it is read.

    Attributes
    ----------
    header : heads of the columns, of which the first `texts` name the rows
    rows : cells, row heads included
    averages : for each row whether it is one
    """

    header: Sequence[str]
    texts: int
    rows: Sequence[Sequence[str]]
    averages: Sequence[bool]
    note: str

    def markdown(self) -> str:
        """A pipe table; averages are bold."""
        rows = [[safe.markdown(cell) for cell in row] for row in self.rows]
        bold = [
            [f"**{cell}**" if cell and average else cell for cell in row]
            for row, average in zip(rows, self.averages, strict=True)
        ]
        return pipe_table([safe.markdown(head) for head in self.header], bold, self.texts)


def number(value: float, scale: float = 1, digits: int = 2, sign: bool = False) -> str:
    """A number for a cell; empty if it does not exist, with a true minus sign."""
    if pd.isna(value):
        return ""
    text = f"{value * scale:{'+' if sign else ''}.{digits}f}"
    return text.replace("-", "−") if float(text) else text.lstrip("+-")


def with_published(cells: pd.DataFrame, scale: float = 100, digits: int = 2) -> pd.Series:
    """``ours ± spread over seeds (published)``, each part only where it exists."""

    def text(value: float, spread: float, published: float) -> str:
        ours = number(value, scale, digits) + (f" ± {number(spread, scale, digits)}" if spread == spread else "")
        theirs = number(published, scale, digits)
        return f"{ours or '–'} ({theirs})" if theirs else ours

    published = cells["published"] if "published" in cells else pd.Series(float("nan"), cells.index)
    return pd.Series(list(map(text, cells["value"], cells["spread"], published)), index=cells.index, dtype=str)


def with_change(cells: pd.DataFrame, scale: float, digits: int) -> pd.Series:
    """``value [signed change]``, the second where it exists."""
    ours = with_published(cells, scale, digits)
    changes = (number(change, scale, digits, sign=True) for change in cells["change_value"])
    texts = [f"{text} [{change}]" if change else text for text, change in zip(ours, changes, strict=True)]
    return pd.Series(texts, index=cells.index, dtype=str)


def with_interval(cells: pd.DataFrame) -> pd.Series:
    """``value [low, high]`` to two digits, the interval where it exists; the metric ``n`` is a count."""

    def text(metric: str, value: float, low: float, high: float) -> str:
        bounds = [number(bound) for bound in (low, high)]
        return number(value, digits=0 if metric == "n" else 2) + (f" [{', '.join(bounds)}]" if all(bounds) else "")

    parts = (cells[column] for column in ("metric", "value", "ci_low", "ci_high"))
    return pd.Series(list(map(text, *parts)), index=cells.index, dtype=str)


def layout(cells: pd.DataFrame, text: Iterable[str], rows: Sequence[str], columns: Sequence[str]) -> pd.DataFrame:
    """Texts of the cells as they stand on the page, in order of appearance.

    Parameters
    ----------
    cells : one row per cell; its columns `rows` and `columns` say where it stands
    text : what to print, as long as `cells`

    Returns
    -------
    A frame whose two indexes hold readable names, one level per key.
    """
    keys = [*rows, *columns]
    printed = cells[keys].assign(text=list(text))
    for key in keys:
        printed[key] = [name(key, value) for value in printed[key]]
    index = pd.MultiIndex.from_frame(printed[[*rows]].drop_duplicates())
    header = pd.MultiIndex.from_frame(printed[[*columns]].drop_duplicates())
    grid = printed.set_index(keys)["text"].unstack([*columns], fill_value="")
    if len(columns) == 1:
        grid.columns = pd.MultiIndex.from_arrays([grid.columns], names=list(columns))
    return grid.reindex(index if len(rows) > 1 else index.get_level_values(0), columns=header, fill_value="")


def as_page(grid: pd.DataFrame, averages: Collection[str] = (), note: str = "") -> Page:
    """A grid of texts that `layout` returned, its heads in one row; `averages` as they read."""
    heads = index_rows(grid)
    return Page(
        header=[
            *(str(key).capitalize() for key in grid.index.names),
            *(" ".join(filter(None, column)) for column in grid.columns),
        ],
        texts=len(grid.index.names),
        rows=[[*head, *values] for head, values in zip(heads, grid.to_numpy(), strict=True)],
        averages=[head[-1] in averages for head in heads],
        note=note.strip(),
    )


def latex(grid: pd.DataFrame, title: str, averages: Collection[str] = ()) -> str:
    """A booktabs table: spanning heads, a rule after each average row."""
    depth, width = grid.columns.nlevels, grid.shape[1]
    left = len(grid.index.names)
    head = []
    for level in range(depth):
        names = list(grid.columns.get_level_values(level))
        if not any(names):
            continue
        spans = runs_of(names) if level < depth - 1 else [(text, 1) for text in names]
        cells = [rf"\multicolumn{{{n}}}{{c}}{{{safe.latex(text)}}}" if n > 1 else safe.latex(text) for text, n in spans]
        corner = [safe.latex(str(key).capitalize()) if level == depth - 1 else "" for key in grid.index.names]
        head.append(" & ".join([*corner, *cells]) + r" \\")
        if level < depth - 1:
            ends = pd.Series([n for _, n in spans]).cumsum() + left
            head.append(" ".join(rf"\cmidrule(lr){{{e - n + 1}-{e}}}" for (_, n), e in zip(spans, ends, strict=True)))
    body = []
    for label, values in zip(index_rows(grid), grid.to_numpy(), strict=True):
        average = label[-1] in averages
        cells = [safe.latex(cell) for cell in [*label, *values]]
        body.append(" & ".join(rf"\textbf{{{cell}}}" if average and cell else cell for cell in cells) + r" \\")
        body += [r"\midrule"] if average else []
    body = body[:-1] if body and body[-1] == r"\midrule" else body
    lines = [r"\toprule", *head, r"\midrule", *body, r"\bottomrule"]
    columns = "l" * left + "r" * width
    return "\n".join([
        "% needs the packages booktabs and graphicx",
        r"\begin{table}", r"\centering", rf"\caption{{{safe.latex(title)}}}", r"\resizebox{\textwidth}{!}{%",
        rf"\begin{{tabular}}{{{columns}}}", *lines, r"\end{tabular}}", r"\end{table}", "",
    ])  # fmt: skip


def write(table: Table, outputs: Mapping[str, str]) -> None:
    """Write ``outputs.csv`` (the tidy cells), ``outputs.md`` and ``outputs.tex`` (the page) and ``outputs.json``.

    The last is the page as data. ``outputs.frame`` gets all values, where there is such a frame.
    """
    grid = layout(table.cells, table.text, table.rows, table.columns)
    averages = [name(table.rows[-1], key) for key in table.averages]
    page = as_page(grid, averages, table.note)
    write_csv(outputs["csv"], table.cells)
    write_text(outputs["md"], f"### {table.title}\n\n{page.markdown()}\n{page.note}\n")
    write_text(outputs["tex"], latex(grid, table.title, averages))
    write_text(outputs["json"], json.dumps(asdict(page), ensure_ascii=False) + "\n")
    if table.frame is not None:
        write_csv(outputs["frame"], table.frame)


def by_language(cells: pd.DataFrame, title: str, note: str, text: Iterable[str] | None = None) -> Table:
    """Languages as rows and bases over variants as columns; percent unless `text`."""
    text = with_published(cells) if text is None else text
    return Table(cells, text, ["language"], ["base", "variant"], title, note, [*dict.fromkeys(cells["group"])])


def lost_note(rows: pd.DataFrame, part: str = "") -> str:
    """In which languages nothing is known of which run, so that no average over them has a value; empty if in none.

    Parameters
    ----------
    rows : of ``metrics.csv``, of measures that judges give, or of a table with the same columns
    part : category or style, where a table has rows for each
    """
    lost = rows[rows["value"].isna() & rows["language"].isin(languages())]
    found = languages_by_run(pick(lost))
    for row in lost[lost[part] != "all"].to_dict("records") if part else []:
        own, language = found.setdefault(run_name(row["base"], row["variant"]), []), name("language", row["language"])
        if not {language, place := f"{language} in {name(part, row[part])}"} & {*own}:
            own.append(place)
    why = "no verdict or rating there could be read, or all answers were cut"
    return f"Empty, as is every average over it, because {why}: {in_words(found)}. " if found else ""


def unasked_note(rows: pd.DataFrame) -> str:
    """In which languages no answer of which run is safe, so that none is asked whether it refuses; empty if in none.

    Parameters
    ----------
    rows : of ``metrics.csv``, the ASR
    """
    found = languages_by_run(pick(rows[rows["value"] == 1]))
    return f"'Refusals among safe' averages languages with safe answers, so not {in_words(found)}. " if found else ""


def languages_by_run(rows: pd.DataFrame) -> dict[str, list[str]]:
    """The languages of these rows by their run, each as a reader sees it; averages are left out."""
    own = rows[rows["language"].isin(languages())]
    names = [
        (run_name(row["base"], row["variant"]), name("language", row["language"])) for row in own.to_dict("records")
    ]
    return {run: [*dict.fromkeys(code for one, code in names if one == run)] for run, _ in names}


def in_words(places: Mapping[str, Sequence[str]]) -> str:
    """``run: place, place; run: place``."""
    return "; ".join(f"{run}: {', '.join(own)}" for run, own in places.items())


def index_rows(grid: pd.DataFrame) -> list[tuple[str, ...]]:
    return [key if isinstance(key, tuple) else (key,) for key in grid.index]


def runs_of(names: Sequence[str]) -> list[tuple[str, int]]:
    """Neighbouring equal names with their number."""
    spans: list[tuple[str, int]] = []
    for text in names:
        spans = [*spans[:-1], (text, spans[-1][1] + 1)] if spans and spans[-1][0] == text else [*spans, (text, 1)]
    return spans
