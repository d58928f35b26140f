"""What the workflow says to judges: texts in files, named in the config."""

import re
from collections.abc import Mapping
from pathlib import Path


def read_templates(paths: dict[str, str]) -> dict[str, str]:
    """Texts of the judge templates by name."""
    return {name: Path(path).read_text(encoding="utf-8") for name, path in paths.items()}


def fill(template: str, values: Mapping[str, object]) -> str:
    """Put values into the slots ``{name}`` of a template, in one pass: a value's own braces stay as they are."""
    return re.sub(r"\{(\w+)\}", lambda match: str(values.get(match[1], match[0])), template)
