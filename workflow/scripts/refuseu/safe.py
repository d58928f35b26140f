"""Text that nobody trusts, made safe for each way out: models, benchmarks and annotators write what they like."""

import logging
import re
from typing import Any

# What a terminal obeys, what turns the text around it, and what nobody sees; lines and tabs stay.
CONTROLS = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
UNSEEN = "\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f"
HIDDEN = re.compile(f"[\r{CONTROLS}{UNSEEN}]")
# Spreadsheets calculate a cell that begins so, in full width, too, and some behind blanks that they take away.
FORMULA = re.compile(f"[\t\r\n]|[\\s{CONTROLS}{UNSEEN}]*[-=+@\uff0d\uff1d\uff0b\uff20]")
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?|[-+]inf", re.IGNORECASE)
LONGEST_CELL = 32_000  # characters; a spreadsheet's cell has room for 32767
CUT = " … [cut: a spreadsheet's cell has room for no more; the form has it whole]"
LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "&": r"\&",
    "%": r"\%",
    "_": r"\_",
    "#": r"\#",
    "$": r"\$",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": "$<$",
    ">": "$>$",
    "|": "$|$",
    "±": r"$\pm$",
    "−": "$-$",
    "·": r"$\cdot$",
    "×": r"$\times$",
    "α": r"$\alpha$",
}


def shown(text: str) -> str:
    """Text for a terminal or a log: what is hidden in it becomes its escape, such as ``\\x1b``."""
    return HIDDEN.sub(lambda found: ascii(found[0])[1:-1], text)


class Formatter(logging.Formatter):
    """Log lines in which no text hides anything."""

    def format(self, record: logging.LogRecord) -> str:
        return shown(super().format(record))


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would calculate a cell, other than a plain number."""
    return bool(FORMULA.match(text)) and not NUMBER.fullmatch(text)


def cell(text: str) -> str:
    """Text for a cell of a sheet that comes back: behind an apostrophe if it is a formula, cut if it is too long."""
    text = text if len(text) <= LONGEST_CELL else text[:LONGEST_CELL] + CUT
    return f"'{text}" if is_formula(text.lstrip("'")) else text


def from_cell(text: str) -> str:
    """What `cell` was given, unless that was cut."""
    return text[1:] if text.startswith("'") and is_formula(text.lstrip("'")) else text


def table_cell(text: str) -> str:
    """Text for a cell of a table that is read again as it is: once safe, it stays so; no carriage return ends a row."""
    text = text.replace("\r", "\n")
    return f"'{text}" if is_formula(text) else text


def latex(text: str) -> str:
    """Text for LaTeX, on one line; a bracket or star at its beginning would belong to the line break before it."""
    line = shown(" ".join(text.split()) if re.search(r"[\t\r\n]", text) else text)
    escaped = "".join(LATEX.get(character, character) for character in line)
    return re.sub(r"^[\[*]", r"{\g<0>}", escaped)


def markdown(text: str) -> str:
    """Text for a cell of a Markdown table, on one line: no markup, no HTML and no link."""
    line = shown(" ".join(text.split()) if re.search(r"[\t\r\n]", text) else text)
    return re.sub(r"[\\`*|<&~$]|(?<!\w)_|_(?!\w)|\](?=[(\[:])", r"\\\g<0>", line)


def named(value: Any) -> Any:
    """A value for a page, its control characters named; what is marked up already is ours.

    HTML cannot hold NUL, and whoever copies a page into a terminal wants no escape.
    """
    if type(value) is not str:
        return value
    return re.sub(f"[{CONTROLS}\ud800-\udfff]", lambda found: f"[U+{ord(found[0]):04X}]", value)
