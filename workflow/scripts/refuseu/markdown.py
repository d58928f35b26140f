"""Tables in Markdown."""

from collections.abc import Iterable, Sequence


def pipe_table(header: Sequence[str], rows: Iterable[Sequence[str]], texts: int) -> str:
    """A pipe table; the first `texts` columns are text, the others figures."""
    rule = [":--"] * texts + ["--:"] * (len(header) - texts)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in [header, rule, *rows])
