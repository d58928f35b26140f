"""HTML pages from Jinja files: every text in them is text."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from refuseu.safe import named


def html(layout: str | Path, **names: Any) -> str:
    """A page from a Jinja file and what it names."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, finalize=named, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(Path(layout).read_text(encoding="utf-8")).render(**names)
