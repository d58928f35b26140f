"""Rows of two files brought together: by what they are about, never by their place in the file."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from refuseu.errors import UserError

Row = TypeVar("Row", bound=Mapping[str, Any])
PROMPT = ("language", "prompt_id")
CURE = "delete what is wrong, so that it is made again"


def by_key(rows: Iterable[Row], where: str, key: Sequence[str] = PROMPT) -> dict[tuple[Any, ...], Row]:
    """Rows by the values of some of their columns.

    Parameters
    ----------
    where : names the rows in an error

    Raises
    ------
    UserError
        If two rows have the same key.
    """
    found: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        own = tuple(row[name] for name in key)
        if own in found:
            raise UserError(f"{where}: two rows for {' '.join(map(str, own))}; {CURE}")
        found[own] = row
    return found


def joined(asked: Iterable[Mapping[str, Any]], rows: Iterable[Row], where: str) -> list[Row]:
    """For each of the rows asked about its one row, in their order.

    Raises
    ------
    UserError
        If a prompt has no row or two, or a row is about something else.
    """
    found = by_key(rows, where)
    wanted = list(by_key(asked, f"what {where} is about"))
    if missing := [key for key in wanted if key not in found]:
        raise UserError(f"{where}: no row for {' '.join(missing[0])} ({len(missing)} are missing); {CURE}")
    if more := found.keys() - set(wanted):
        raise UserError(f"{where}: a row for {' '.join(min(more))}, which is not among those asked about; {CURE}")
    return [found[key] for key in wanted]
